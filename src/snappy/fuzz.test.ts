/** Damaged and hostile streams and blocks: no throw, no loop, bounded memory. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { BlockDecoder } from "./block-decoder.ts";
import { CHUNK_BODY_BYTES_MAX, CHUNK_HEADER_BYTES } from "./chunk.ts";
import { SnappyDecoder } from "./decoder.ts";
import { SnappyEncoder } from "./encoder.ts";
import { sample, sampleKinds } from "./testing/samples.ts";

const seed = Number(process.env.SEED ?? 20_260_126);
const inputs = 100_000;

/** Streams of two or three chunks. */
const streams = Array.from({ length: 60 }, (_, i) => {
  const encoder = new SnappyEncoder();
  const into = new Uint8Array(3000);
  let length = 0;
  for (let k = 0; k < 2 + (i & 1); k++) {
    const input = sample(sampleKinds[i % sampleKinds.length]!, 1 + ((i * 53 + k * 17) % 400), i + k);
    length += encoder.encode(input, 0, input.length, into, length);
  }
  return into.slice(0, length);
});

/** A stream with some bytes changed, cut off or put in. */
function mutated(prng: Prng, into: Uint8Array): number {
  const stream = streams[prng.below(streams.length)]!;
  into.set(stream);
  let length = stream.length;
  for (let n = prng.below(4); n > 0; n--) into[prng.below(length)] = prng.u32();
  if (prng.chance(0.2)) {
    const at = prng.below(length);
    into.copyWithin(at + 1, at, length++);
  }
  if (prng.chance(0.2)) length -= prng.below(length);
  return length;
}

test(`${inputs} mutated streams, seed ${seed}`, (t) => {
  t.diagnostic(`snappy fuzz: SEED=${seed}`);
  const prng = new Prng(seed);
  const bytes = new Uint8Array(4096);
  let failed = 0;
  let read = 0;
  let decoder = new SnappyDecoder();
  for (let i = 0; i < inputs; i++) {
    // Some decoders go on with the next stream in the middle of a chunk.
    if (decoder.failed !== undefined || prng.chance(0.5)) decoder = new SnappyDecoder();
    const length = mutated(prng, bytes);
    for (let at = 0; at < length; ) {
      const end = Math.min(length, at + 1 + prng.below(400));
      const n = decoder.receive(bytes, at, end);
      assert.ok(n >= 1 && n <= end - at, `input ${i} consumes ${n} of ${end - at}`);
      at += n;
      assert.ok(decoder.start <= decoder.end && decoder.end <= decoder.bytes.length);
      if (decoder.end > decoder.start) read++;
    }
    if (decoder.failed !== undefined) failed++;
    assert.ok(decoder.bytesHeld <= CHUNK_HEADER_BYTES + CHUNK_BODY_BYTES_MAX + 65_536, `${decoder.bytesHeld} bytes held`);
  }
  assert.ok(failed > inputs / 10 && read > inputs / 10, `${failed} failed, ${read} chunks read`);
});

test(`${inputs} blocks of noise stay in their room, seed ${seed}`, () => {
  const prng = new Prng(seed);
  const decoder = new BlockDecoder();
  const block = new Uint8Array(40);
  const into = new Uint8Array(400);
  let read = 0;
  for (let i = 0; i < inputs; i++) {
    const length = 1 + prng.below(block.length);
    for (let k = 0; k < length; k++) block[k] = prng.chance(0.7) ? prng.below(24) : prng.u32();
    into.fill(0xa5);
    const n = decoder.uncompress(block, 0, length, into, 100, 300);
    if (n >= 0) read++;
    for (let k = 0; k < 100; k++) if (into[k] !== 0xa5 || into[300 + k] !== 0xa5) assert.fail(`input ${i} wrote outside its room`);
  }
  assert.ok(read > 50, `${read} blocks read`);
});
