import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { H264Assembler, H264Packetizer } from "./h264-payload.ts";
import { bytesOf } from "./testing/packet.ts";

const sps = bytesOf("6742c01fd900a02ff97011000003000100000300780f183248");
const pps = bytesOf("68cb83cb20");

function unitOf(...nals: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(nals.flatMap((nal) => [0, nal.length >>> 16, (nal.length >>> 8) & 255, nal.length & 255, ...nal]));
}

function payloads(unit: Uint8Array, bytesMax: number, sets: readonly Uint8Array[] = []): Uint8Array[] {
  const packetizer = new H264Packetizer();
  packetizer.open(unit, sets);
  const into = new Uint8Array(bytesMax);
  const made: Uint8Array[] = [];
  for (let length = packetizer.next(into, bytesMax); length > 0; length = packetizer.next(into, bytesMax)) {
    made.push(into.slice(0, length));
    assert.ok(packetizer.last || made.length < 10_000);
  }
  assert.ok(packetizer.last);
  return made;
}

function assembled(all: readonly Uint8Array[]): H264Assembler {
  const assembler = new H264Assembler();
  for (const payload of all) assembler.add(payload, 0, payload.length);
  return assembler;
}

test("access units of any size come through packets of any size", () => {
  const seed = 77;
  const random = new Prng(seed);
  for (let i = 0; i < 300; i++) {
    const nals = Array.from({ length: 1 + random.below(4) }, (_, n) => {
      const nal = random.fill(new Uint8Array(1 + random.below(3000)));
      nal[0] = n === 0 ? 0x65 : 0x41;
      return nal;
    });
    const unit = unitOf(...nals);
    const made = payloads(
      unit,
      20 + random.below(1200),
      [sps, pps].filter((set) => set.length < 20),
    );
    const assembler = assembled(made);
    assert.deepEqual(assembler.take(), unit, `seed ${seed}, round ${i}`);
    assert.equal(assembler.keyframe, true);
  }
});

test("parameter sets are kept apart, alone or aggregated; delimiter and filler go", () => {
  const slice = Uint8Array.of(0x65, 1, 2, 3);
  const aggregate = Uint8Array.of(0x78, 0, sps.length, ...sps, 0, pps.length, ...pps);
  const assembler = assembled([Uint8Array.of(9, 0x10), aggregate, Uint8Array.of(12, 255, 128), slice]);
  assert.deepEqual([assembler.sequenceSet, assembler.pictureSet], [sps, pps]);
  assert.deepEqual(assembler.take(), unitOf(slice));
  const first = assembler.sequenceSet;
  assembler.clear();
  assembler.add(sps, 0, sps.length);
  assert.equal(assembler.sequenceSet, first, "a repeated set is the one known");
});

test("what is missing or damaged breaks the unit and nothing else", () => {
  const unit = unitOf(new Uint8Array(1000).fill(0x41));
  const whole = payloads(unit, 300);
  // A hole in the middle shows in the sequence numbers alone, so it is the caller's to tell.
  for (const without of [0, whole.length - 1]) {
    const assembler = assembled(whole.filter((_, i) => i !== without));
    assert.equal(assembler.take(), undefined, `without packet ${without}`);
    assembler.clear();
    for (const payload of whole) assembler.add(payload, 0, payload.length);
    assert.deepEqual(assembler.take(), unit);
  }
  for (const bad of ["78", "780005aa", "1c", "1c80", "1c05aa", "00", "1e0102"]) {
    const assembler = assembled([bytesOf(bad)]);
    assert.equal(assembler.take(), undefined, bad);
  }
});

test("an access unit beyond the limit is dropped", () => {
  const assembler = new H264Assembler(1000);
  const slice = new Uint8Array(600).fill(0x41);
  assembler.add(slice, 0, 600);
  assembler.add(slice, 0, 600);
  assert.deepEqual([assembler.take(), assembler.tooLong], [undefined, 1]);
});
