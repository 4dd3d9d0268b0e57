import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrival } from "./arrival.ts";
import { SEGMENT_HEAD_BYTES, SegmentFlow } from "./segment-flow.ts";
import { ACK, FIN, PSH, SYN, type TcpHeader } from "./tcp-header.ts";

const ends = { local: Uint8Array.of(10, 0, 0, 1), remote: Uint8Array.of(10, 0, 0, 2), localPort: 4000, remotePort: 29900 };
const segment = (flags: number, seq: number, ack: number, tsval = 0): TcpHeader => ({
  ...{ sourcePort: 29900, destinationPort: 4000, seq, ack, flags, window: 1, tsval, tsecr: 0 },
});

/** Writes a datagram of that length and reads it as the other end does. */
function written(flow: SegmentFlow, length: number, arrival = new Arrival("faketcp", "client")): Arrival {
  const bytes = new Uint8Array(2048).fill(9);
  const view = new DataView(bytes.buffer);
  const start = SEGMENT_HEAD_BYTES;
  const at = flow.write(5, bytes, view, start, start + length);
  assert.ok(arrival.read(bytes, view, at, start + length), "checksums and lengths are right");
  assert.deepEqual([arrival.start, arrival.end], [start, start + length]);
  return arrival;
}

test("segments go on with the numbers of the kernel's handshake, with PSH, and echo the timestamp", () => {
  const flow = new SegmentFlow(ends, 77);
  assert.equal(flow.known, false);
  flow.received(segment(SYN | ACK, 1000, 501, 123), 0);
  assert.equal(flow.known, true);
  const first = written(flow, 100);
  assert.deepEqual([first.tcp.seq, first.tcp.ack, first.tcp.flags, first.tcp.window, first.tcp.tsecr], [501, 1001, ACK | PSH, 65_535, 123]);
  assert.deepEqual([first.sourcePort, first.destinationPort], [4000, 29900]);
  assert.equal(written(flow, 50).tcp.seq, 601);
});

test("what comes in order is acknowledged; after a gap the numbers of the other end are followed, and nothing is asked for again", () => {
  const flow = new SegmentFlow(ends, 77);
  flow.received(segment(SYN | ACK, 2 ** 32 - 1, 0), 0);
  flow.received(segment(ACK | PSH, 0, 0), 10);
  assert.equal(written(flow, 1).tcp.ack, 10);
  flow.received(segment(ACK | PSH, 30, 0), 10);
  assert.equal(written(flow, 1).tcp.ack, 10, "20 are missing");
  flow.received(segment(ACK | PSH, 10, 400), 5);
  const next = written(flow, 1);
  assert.deepEqual([next.tcp.ack, next.tcp.seq], [15, 400]);
  flow.received(segment(ACK | FIN, 15, 400), 0);
  assert.equal(written(flow, 1).tcp.ack, 16);
});

test("IPv6", () => {
  const local = new Uint8Array(16).fill(1);
  const flow = new SegmentFlow({ ...ends, local, remote: new Uint8Array(16).fill(2) }, 3);
  flow.received(segment(SYN | ACK, 1, 2), 0);
  assert.ok(written(flow, 1400).isFrom(new Uint8Array(2048).fill(1), local));
});
