import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "../../base/byte-queue.ts";
import { Prng } from "../../base/prng.ts";
import { Handshake } from "./handshake.ts";

const noise = new Prng(1).fill(new Uint8Array(1528));

/** A C1 of the second kind: a version in the zero field and a digest in the noise. */
const digestHello = new Prng(2).fill(new Uint8Array(1537));
digestHello[0] = 3;

for (const [name, piece] of [
  ["at once", 5000],
  ["byte by byte", 1],
] as const) {
  test(`the server echoes C1, digest or not, received ${name}`, () => {
    const outbox = new ByteQueue(10_000);
    const handshake = new Handshake("server", noise, outbox);
    const sent = Uint8Array.from([...digestHello, ...new Uint8Array(1536), 0xaa, 0xbb]);
    let at = 0;
    while (at < sent.length && !handshake.done) at = handshake.receive(sent, at, Math.min(at + piece, sent.length));
    assert.deepEqual([handshake.done, at, handshake.failure], [true, 3073, undefined]);
    const answer = new Uint8Array(outbox.length);
    outbox.peek(answer, 0, answer.length);
    assert.equal(answer.length, 3073);
    assert.deepEqual([...answer.subarray(0, 9)], [3, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(answer.subarray(9, 1537), noise);
    assert.deepEqual(answer.subarray(1537), digestHello.subarray(1));
  });
}

test("the client speaks first and echoes S1", () => {
  const outbox = new ByteQueue(10_000);
  const handshake = new Handshake("client", noise, outbox);
  assert.equal(outbox.length, 1537);
  outbox.clear();
  const answer = Uint8Array.from([...digestHello, ...new Uint8Array(1536)]);
  handshake.receive(answer, 0, answer.length);
  const echo = new Uint8Array(outbox.length);
  outbox.peek(echo, 0, echo.length);
  assert.deepEqual(echo, digestHello.subarray(1));
  assert.equal(handshake.done, true);
});

for (const [first, name] of [
  [0x16, "TLS"],
  [0x47, "HTTP"],
  [6, "RTMPE"],
  [2, "version 2"],
] as const) {
  test(`refuses ${name} by its first byte, and answers nothing`, () => {
    const outbox = new ByteQueue(10_000);
    const handshake = new Handshake("server", noise, outbox);
    handshake.receive(Uint8Array.of(first, 3, 1), 0, 3);
    assert.equal(handshake.failure?.code, "rtmp.handshake.version");
    assert.ok(handshake.failure?.message.includes(name), handshake.failure?.message);
    assert.equal(outbox.length, 0);
  });
}
