/** Pieces in any order, lost, repeated and of several datagrams at once; the limits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { PART, PART_HEADER_BYTES, writeFlowHeader } from "./flow-message.ts";
import { pieceBytesOf, Reassembly } from "./reassembly.ts";

function pieces(flow: number, id: number, datagram: Uint8Array, count: number): Uint8Array[] {
  const pieceBytes = pieceBytesOf(datagram.length, count);
  return Array.from({ length: count }, (_, index) => {
    const piece = datagram.subarray(index * pieceBytes, (index + 1) * pieceBytes);
    const message = new Uint8Array(PART_HEADER_BYTES + piece.length);
    const view = new DataView(message.buffer);
    writeFlowHeader(view, 0, 1, PART, flow);
    view.setUint16(10, id, true);
    view.setUint16(12, datagram.length, true);
    message[14] = index;
    message[15] = count;
    message.set(piece, PART_HEADER_BYTES);
    return message;
  });
}

function receive(into: Reassembly, message: Uint8Array, now = 0): number {
  return into.receive(now, message, new DataView(message.buffer), 0, message.length);
}

test("datagrams of every size come whole out of shuffled pieces", () => {
  const prng = new Prng(3);
  const reassembly = new Reassembly(16);
  for (const [size, count] of [
    [1301, 2],
    [65_507, 64],
    [2, 2],
    [9000, 7],
  ] as const) {
    const datagram = prng.fill(new Uint8Array(size));
    const shuffled = pieces(5, size & 0xffff, datagram, count).sort(() => prng.float() - 0.5);
    const last = shuffled.pop()!;
    for (const piece of shuffled) assert.equal(receive(reassembly, piece), 0);
    assert.equal(receive(reassembly, last), size);
    assert.deepEqual(Buffer.from(reassembly.bytes.subarray(0, size)), Buffer.from(datagram));
  }
});

test("a piece that comes twice counts once; one that contradicts the others is an error", () => {
  const reassembly = new Reassembly(16);
  const [first, second] = pieces(1, 1, new Uint8Array(1000), 2);
  assert.deepEqual([receive(reassembly, first!), receive(reassembly, first!)], [0, 0]);
  assert.equal(receive(reassembly, pieces(1, 1, new Uint8Array(1200), 2)[1]!), 0);
  assert.equal(receive(reassembly, second!), 1000);
  assert.deepEqual([reassembly.stats.duplicates, reassembly.stats.errors], [1, 1]);
});

test("limits: the oldest gives way, and what is not whole after a second is given up", () => {
  const reassembly = new Reassembly(2);
  const all = [1, 2, 3].map((id) => pieces(1, id, new Uint8Array(1000), 2));
  for (const [first] of all) receive(reassembly, first!, 0);
  assert.equal(reassembly.stats.evicted, 1);
  assert.equal(receive(reassembly, all[1]![1]!, 10), 1000, "the younger ones are kept");
  assert.equal(receive(reassembly, all[2]![1]!, 1500), 0, "this one is too old: its last piece begins another");
  receive(reassembly, all[0]![0]!, 1600);
  receive(reassembly, all[1]![0]!, 2700);
  assert.ok(reassembly.stats.expired >= 1, JSON.stringify(reassembly.stats));
});
