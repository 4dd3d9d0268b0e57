/** The way of a packet through encoder and decoder allocates nothing once it has warmed up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { leastHeapGrowth } from "../../test/heap-growth.ts";
import { inOwnProcess } from "../../test/own-process.ts";
import { FecDecoder } from "./decoder.ts";
import { FecEncoder } from "./encoder.ts";

const HEADROOM = 64;
const BYTES_MAX = 4;

inOwnProcess(import.meta.url, () => {
  test("encode, lose, repair: no bytes of heap a packet", () => {
    const encoder = new FecEncoder({ dataShards: 10, parityShards: 3, profile: "2026", packetBytesMax: 1500 });
    const decoder = new FecDecoder({ packetBytesMax: 1500 });
    const bytes = new Uint8Array(8192);
    const view = new DataView(bytes.buffer);
    const packets = 4000;
    const run = (): number => {
      for (let n = 0; n < packets; n++) {
        const ready = encoder.encode(n, bytes, view, HEADROOM, HEADROOM + 200);
        if (n % 11 !== 3) decoder.receive(n, bytes, view, HEADROOM - 8, HEADROOM + 200);
        for (let i = 0; i < ready; i++) decoder.receive(n, bytes, view, 2000, 2000 + encoder.parity(i, bytes, view, 2000));
        while (decoder.recovered(bytes, view, 4000) > 0);
      }
      return packets;
    };
    for (let warm = 0; warm < 5; warm++) run();
    const least = leastHeapGrowth(run, BYTES_MAX);
    assert.ok(least < BYTES_MAX, `${least} bytes a packet`);
    assert.ok(decoder.stats.recovered > packets / 11);
  });
});
