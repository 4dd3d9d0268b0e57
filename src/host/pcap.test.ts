import assert from "node:assert/strict";
import { test } from "node:test";
import { PcapRecords, pcapRecord } from "./pcap.ts";

test("records come out of a stream whole, wherever it is cut", () => {
  const packets = [1, 60, 65_535, 0, 1500].map((bytes, i) => new Uint8Array(bytes).fill(i + 1));
  const stream = Buffer.concat(packets.map((packet, i) => pcapRecord(packet, 1000 + i / 4, packet.length + i)));
  for (const piece of [1, 7, 4096, stream.length]) {
    const records = new PcapRecords();
    const found: [Uint8Array, number, number][] = [];
    for (let at = 0; at < stream.length; at += piece)
      records.push(stream.subarray(at, at + piece), (packet, seconds, length) => found.push([Uint8Array.from(packet), seconds, length]));
    assert.deepEqual(
      found.map(([packet]) => packet),
      packets,
    );
    assert.deepEqual(
      found.map(([, seconds, length]) => [seconds, length]),
      packets.map((packet, i) => [1000 + i / 4, packet.length + i]),
    );
  }
});

test("what is no such stream is refused", () => {
  assert.throws(() => new PcapRecords().push(new Uint8Array(64).fill(255), () => {}), RangeError);
});
