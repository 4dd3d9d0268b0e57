/** The framing: encoder against decoder, however the stream is cut, and what ends a stream. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { Prng } from "../base/prng.ts";
import { CHUNK_BODY_BYTES_MAX } from "./chunk.ts";
import { SnappyDecoder } from "./decoder.ts";
import { SnappyEncoder } from "./encoder.ts";
import { sample, sampleKinds } from "./testing/samples.ts";

const identifier = Uint8Array.of(0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59);

/** Each input as the bytes of one encode call, all of one stream. */
function encoded(inputs: readonly Uint8Array[]): Uint8Array[] {
  const encoder = new SnappyEncoder();
  return inputs.map((input) => {
    const into = new Uint8Array(SnappyEncoder.encodedBytesMax(input.length) + 7);
    const n = encoder.encode(input, 0, input.length, into, 7);
    assert.ok(n <= SnappyEncoder.encodedBytesMax(input.length));
    return into.slice(7, 7 + n);
  });
}

/** Feeds the stream in pieces of the given lengths; answers what came out and checks that each call consumes. */
function decoded(stream: Uint8Array, piece: () => number, decoder = new SnappyDecoder()): Uint8Array {
  const out: Uint8Array[] = [];
  for (let from = 0; from < stream.length; ) {
    const to = Math.min(stream.length, from + piece());
    // A copy of exactly these bytes: reading beyond the piece would show.
    const bytes = stream.slice(from, to);
    for (let at = 0; at < bytes.length; ) {
      const n = decoder.receive(bytes, at, bytes.length);
      assert.ok(n >= 1 && n <= bytes.length - at);
      at += n;
      out.push(decoder.bytes.slice(decoder.start, decoder.end));
    }
    from = to;
  }
  return Buffer.concat(out);
}

test("a stream comes back however it is cut", () => {
  const inputs = sampleKinds.flatMap((kind) => [1, 8, 100, 4104, 65_536].map((n) => sample(kind, n, n)));
  const chunks = encoded(inputs);
  const stream = Buffer.concat(chunks);
  const whole = Buffer.concat(inputs);
  const prng = new Prng(4);
  for (const piece of [() => 1, () => 3, () => 1298, () => 65_536, () => stream.length, () => 1 + prng.below(5000)])
    assert.ok(Buffer.compare(decoded(stream, piece), whole) === 0);
});

test("each call makes one chunk that can be read at once; the identifier comes first and once", () => {
  const inputs = [sample("text", 500), sample("random", 500), Uint8Array.of(1)];
  const chunks = encoded(inputs);
  assert.deepEqual(chunks[0]!.subarray(0, 10), identifier);
  assert.deepEqual(
    chunks.map((chunk, i) => chunk[i === 0 ? 10 : 0]),
    [0, 1, 1],
  );
  const decoder = new SnappyDecoder();
  chunks.forEach((chunk, i) => {
    assert.deepEqual(new Uint8Array(decoded(chunk, () => chunk.length, decoder)), inputs[i]);
  });
});

test("room for what chunks expand to follows their lengths, and is given back", () => {
  const decoder = new SnappyDecoder();
  for (const [bytes, heldMax] of [
    [200, 256],
    [3000, 3000],
    [65_536, 65_536],
    [200, 65_536],
  ] as const) {
    const input = sample("text", bytes);
    for (const chunk of encoded([input])) assert.deepEqual(new Uint8Array(decoded(chunk, () => chunk.length, decoder)), input);
    assert.ok(decoder.bytesHeld > 0 && decoder.bytesHeld <= heldMax, `${bytes} bytes: ${decoder.bytesHeld} held`);
  }
  decoder.rest();
  assert.equal(decoder.bytesHeld, 0);
});

test("a chunk is stored when less than an eighth is saved", () => {
  for (let noise = 700; noise < 1000; noise += 3) {
    const input = sample("zeros", 1000).fill(9);
    input.set(sample("random", noise, noise));
    const [chunk] = encoded([input]);
    const stored = chunk![10] === 1;
    const length = chunk!.length - 18;
    assert.equal(length, stored ? 1000 : Math.min(length, 874), `noise ${noise}`);
  }
});

test("a stored chunk that lies whole in the piece is not copied", () => {
  const stream = Buffer.concat(encoded([sample("random", 100)]));
  const decoder = new SnappyDecoder();
  const at = decoder.receive(stream, 0, stream.length);
  decoder.receive(stream, at, stream.length);
  assert.equal(decoder.bytes, stream);
  assert.deepEqual([decoder.start, decoder.end], [18, 118]);
});

const data = encoded([sample("text", 200)])[0]!;
const cut = (from: number, to: number, ...bytes: number[]): Uint8Array =>
  Uint8Array.of(...data.subarray(0, from), ...bytes, ...data.subarray(to));
const longest = CHUNK_BODY_BYTES_MAX;
const outcomes: readonly [name: string, stream: Uint8Array, code: string | undefined][] = [
  ["an identifier in the middle", Buffer.concat([data, identifier, data.subarray(10)]), undefined],
  ["a padding chunk", cut(10, 10, 0xfe, 3, 0, 0, 1, 2, 3), undefined],
  ["an empty skippable chunk", cut(10, 10, 0x80, 0, 0, 0), undefined],
  ["no identifier", data.subarray(10), "snappy.identifier"],
  ["smux without snappy", Uint8Array.of(2, 0, 0, 0, 3, 0, 0, 0), "snappy.identifier"],
  ["a wrong identifier", cut(5, 6, 0x4f), "snappy.identifier"],
  ["an identifier of another length", cut(1, 2, 7), "snappy.identifier"],
  ["a chunk that must not be skipped", cut(10, 11, 0x02), "snappy.chunk"],
  ["the last such", cut(10, 11, 0x7f), "snappy.chunk"],
  ["a chunk without room for its checksum", cut(11, 12, 3), "snappy.length"],
  ["a compressed chunk that is too long", cut(11, 14, longest + 1, (longest + 1) >> 8, (longest + 1) >> 16), "snappy.length"],
  ["a skippable chunk that is too long", cut(10, 14, 0x99, longest + 1, (longest + 1) >> 8, (longest + 1) >> 16), "snappy.length"],
  ["a stored chunk of more than 65536 bytes", cut(10, 14, 1, 5, 0, 1), "snappy.length"],
  ["a block of more than 65536 bytes", Uint8Array.of(...identifier, 0, 8, 0, 0, 0, 0, 0, 0, 0x81, 0x80, 0x04, 0), "snappy.data"],
  ["damaged data", cut(40, 41, data[40]! ^ 1), "snappy.checksum"],
  ["a damaged checksum", cut(14, 15, data[14]! ^ 1), "snappy.checksum"],
  ["a damaged copy", cut(data.length - 1, data.length, 0xff), "snappy.data"],
];

for (const [name, stream, code] of outcomes) {
  test(`${name} ${code === undefined ? "is read over" : `fails with ${code}`}`, () => {
    for (const piece of [1, 7, stream.length]) {
      const decoder = new SnappyDecoder();
      decoded(stream, () => piece, decoder);
      assert.equal(decoder.failed?.code, code, `in pieces of ${piece}`);
    }
  });
}

test("after a failure everything is consumed and nothing comes out", () => {
  const decoder = new SnappyDecoder();
  decoded(data.subarray(10), () => 100, decoder);
  const before = decoder.stats.bytesAfterFailure;
  assert.equal(decoded(data, () => 100, decoder).length, 0);
  assert.equal(decoder.stats.bytesAfterFailure, before + data.length);
});

test("nothing is allocated per chunk", () => {
  const encoder = new SnappyEncoder();
  const decoder = new SnappyDecoder();
  const input = Buffer.concat([sample("words", 200), sample("random", 200), sample("text", 200)]);
  const into = new Uint8Array(SnappyEncoder.encodedBytesMax(200));
  const chunks = 20_000;
  const round = (): number => {
    const before = getHeapStatistics().total_allocated_bytes;
    for (let i = 0; i < chunks; i++) {
      const at = 200 * (i % 3);
      const n = encoder.encode(input, at, at + 200, into, 0);
      const half = n >> 1;
      for (let from = 0; from < half; ) from += decoder.receive(into, from, half);
      for (let from = half; from < n; ) from += decoder.receive(into, from, n);
    }
    return (getHeapStatistics().total_allocated_bytes - before) / chunks;
  };
  // The first rounds also count what the compiler makes; the counter itself is only exact to a page of the heap.
  const each = Math.min(round(), round(), round(), round(), round());
  assert.equal(decoder.failed, undefined);
  assert.ok(each < 32, `${each.toFixed(1)} bytes a chunk`);
});
