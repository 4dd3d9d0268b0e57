import assert from "node:assert/strict";
import { test } from "node:test";
import { inOwnProcess } from "../../test/own-process.ts";
import { takeInside } from "../kernel/kernels.ts";
import { Kcp } from "./kcp.ts";
import type { KcpOptions } from "./options.ts";

const options: KcpOptions = { conv: 7, mtu: 1350, sndWnd: 64, rcvWnd: 64, nodelay: 1, interval: 10, resend: 2, nc: 1, profile: "2026" };
const data = Uint8Array.from({ length: 10_000 }, (_, i) => i * 7);

/** Every packet that leaves at once and after 500 ms without an answer, and where those lay that were not copied. */
function packets(headroom: number | undefined): { readonly all: string[]; readonly placed: number } {
  const room = takeInside(2048)!;
  const kcp = new Kcp({ ...options, headroom });
  const all: string[] = [];
  let placed = 0;
  kcp.send(0, data, 0, data.length);
  for (const now of [0, 500]) {
    kcp.advance(now);
    for (let n = kcp.transmit(now, room.bytes, room.view, room.at); n > 0; n = kcp.transmit(now, room.bytes, room.view, room.at)) {
      const at = kcp.placed < 0 ? room.at : kcp.placed;
      if (kcp.placed >= 0) placed++;
      // What outer layers do.
      if (headroom !== undefined) room.bytes.fill(0xee, at - headroom, at);
      all.push(Buffer.from(room.bytes.subarray(at, at + n)).toString("hex"));
    }
  }
  return { all, placed };
}

// Where the kernels' memory is not full of what other tests have left.
inOwnProcess(import.meta.url, () => {
  test("a full segment leaves from where its data are kept, the same packet as a copy would be", () => {
    const copied = packets(undefined);
    const inPlace = packets(40);
    assert.equal(copied.placed, 0);
    // Seven full segments and a rest, sent twice.
    assert.equal(copied.all.length, 16);
    assert.equal(inPlace.placed, 14);
    assert.deepEqual(inPlace.all, copied.all);
  });
});
