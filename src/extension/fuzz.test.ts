/** Damaged and hostile messages: no throw, bounded memory, and what is accepted is consistent. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { DESCRIPTION_BYTES_MAX, KIND_UDP, PLACE_BYTES, readDescription, writeDescription } from "./description.ts";
import { PART_HEADER_BYTES, writeFlowHeader } from "./flow-message.ts";
import { ANSWER, HELLO } from "./hello.ts";
import { Negotiation } from "./negotiation.ts";
import { Reassembly } from "./reassembly.ts";

const seed = Number(process.env.SEED ?? 20_261_121);
const inputs = 100_000;
const bytes = new Uint8Array(2048);
const view = new DataView(bytes.buffer);

function damage(prng: Prng, length: number): number {
  for (let flips = prng.below(4); flips > 0; flips--) bytes[prng.below(length)] = prng.u32();
  return prng.chance(0.2) ? prng.below(length + 1) : length;
}

test(`${inputs} mutated HELLOs and ANSWERs, seed ${seed}`, () => {
  const prng = new Prng(seed);
  let [extended, errors] = [0, 0];
  for (let i = 0; i < inputs; i++) {
    const from = new Negotiation(prng.chance(0.5) ? "client" : "server", 1, prng.u32());
    const to = new Negotiation(prng.chance(0.5) ? "client" : "server", 1, 0);
    from.advance(0);
    const length = damage(prng, Math.max(1, from.transmit(bytes, view, 0)));
    to.receive(prng.chance(0.5) ? HELLO : ANSWER, bytes, view, 0, length);
    if (to.standing === "extended") extended++;
    errors += to.stats.errors;
    assert.ok(to.version <= 1);
  }
  assert.ok(extended > inputs / 20 && errors > inputs / 20, `${extended} extended, ${errors} errors`);
});

test(`${inputs} mutated descriptions, seed ${seed}`, () => {
  const prng = new Prng(seed);
  let [read, damaged] = [0, 0];
  for (let i = 0; i < inputs; i++) {
    const written = writeDescription({ kind: KIND_UDP, target: "dns", source: new Uint8Array(PLACE_BYTES), verdict: 1, reason: "no" });
    bytes.set(written);
    const length = damage(prng, written.length);
    const description = readDescription(bytes, 0, length);
    if (description === undefined) damaged++;
    else {
      read++;
      assert.ok(!/\p{Cc}/u.test(description.target + (description.reason ?? "")), "control characters in a peer's text");
      assert.ok(description.source === undefined || description.source.length === PLACE_BYTES);
    }
  }
  assert.ok(read > inputs / 20 && damaged > inputs / 20, `${read} read, ${damaged} damaged`);
  assert.equal(readDescription(new Uint8Array(1000), 0, DESCRIPTION_BYTES_MAX + 1), undefined);
});

test(`${inputs} mutated pieces of datagrams, seed ${seed}`, () => {
  const prng = new Prng(seed);
  const reassembly = new Reassembly(8);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < inputs; i++) {
    writeFlowHeader(view, 0, 1, 18, prng.below(3));
    view.setUint16(10, prng.below(20), true);
    view.setUint16(12, prng.chance(0.9) ? 1000 : prng.u32() & 0xffff, true);
    bytes[14] = prng.below(3);
    bytes[15] = prng.chance(0.9) ? 2 : prng.u32();
    const length = prng.chance(0.8) ? PART_HEADER_BYTES + 500 : damage(prng, PART_HEADER_BYTES + 500);
    const whole = reassembly.receive(i / 10, bytes, view, 0, length);
    assert.ok(whole <= reassembly.bytes.length);
  }
  const { stats } = reassembly;
  assert.ok(stats.whole > inputs / 100 && stats.errors > inputs / 20 && stats.evicted + stats.expired > 0, JSON.stringify(stats));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 22);
});
