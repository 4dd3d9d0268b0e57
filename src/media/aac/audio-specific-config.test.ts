import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { type AudioSpecificConfig, parseAudioSpecificConfig } from "./audio-specific-config.ts";

/** Fields in binary, most significant first, as ISO/IEC 14496-3 section 1.6.2.1 lists them. */
const configurations: readonly (readonly [string, string, AudioSpecificConfig])[] = [
  ["LC 48 kHz stereo", "00010 0011 0010 000", config("mp4a.40.2", 48_000, 2, 1024)],
  ["LC 44.1 kHz mono", "00010 0100 0001 000", config("mp4a.40.2", 44_100, 1, 1024)],
  ["LC 32 kHz stereo", "00010 0101 0010 000", config("mp4a.40.2", 32_000, 2, 1024)],
  ["LC of frames of 960", "00010 0011 0010 100", config("mp4a.40.2", 48_000, 2, 960)],
  ["LC 7.1", "00010 0011 0111 000", config("mp4a.40.2", 48_000, 8, 1024)],
  ["LC of an explicit 37,800 Hz", "00010 1111 000000001001001110101000 0010 000", config("mp4a.40.2", 37_800, 2, 1024)],
  ["HE explicit, 24 to 48 kHz", "00101 0110 0010 0011 00010 000", config("mp4a.40.5", 48_000, 2, 2048)],
  ["HE v2 explicit, 22.05 to 44.1 kHz", "11101 0111 0001 0100 00010 000", config("mp4a.40.29", 44_100, 2, 2048)],
  ["HE backward compatible", "00010 0110 0010 000 01010110111 00101 1 0011", config("mp4a.40.5", 48_000, 2, 2048)],
  ["HE v2 backward compatible", "00010 0110 0001 000 01010110111 00101 1 0011 10101001000 1", config("mp4a.40.29", 48_000, 2, 2048)],
  ["SBR signalled absent", "00010 0011 0010 000 01010110111 00101 0", config("mp4a.40.2", 48_000, 2, 1024)],
  // Program: tag 4, type 2, rate 4, 2 front, 0 side, 1 back, 1 LFE, 0, 0, no mixdowns; front pair, front single, back pair, LFE tag.
  [
    "LC 5.1 by program config",
    "00010 0011 0000 000 0000 01 0011 0010 0000 0001 01 000 0000 0 0 0 1 0000 0 0000 1 0000 0000",
    config("mp4a.40.2", 48_000, 6, 1024),
  ],
];

for (const [name, bits, expected] of configurations) {
  test(`reads a configuration: ${name}`, () => assert.deepEqual(parseAudioSpecificConfig(pack(bits)), expected));
}

test("refuses other codecs, reserved rates, reserved channels and what is cut short", () => {
  assert.equal(parseAudioSpecificConfig(new Uint8Array(0)), undefined);
  assert.equal(parseAudioSpecificConfig(Uint8Array.of(0x11)), undefined);
  assert.equal(parseAudioSpecificConfig(pack("11111 100000 0011 0010 000")), undefined, "object type 42, USAC");
  assert.equal(parseAudioSpecificConfig(pack("00010 1101 0010 000")), undefined);
  assert.equal(parseAudioSpecificConfig(pack("00010 0011 1000 000")), undefined);
  assert.equal(parseAudioSpecificConfig(pack("00101 0110 0010 0100 00010 000")), undefined, "24 to 44.1 kHz is no doubling");
});

test("damaged configurations never throw", () => {
  const random = new Prng(0xaac);
  for (let i = 0; i < 5000; i++) {
    const parsed = parseAudioSpecificConfig(random.fill(new Uint8Array(random.below(12))));
    if (parsed !== undefined)
      assert.ok(parsed.sampleRate >= 7350 && parsed.channels > 0 && parsed.samplesPerFrame >= 960, `seed 0xaac, round ${i}`);
  }
});

function config(codec: string, sampleRate: number, channels: number, samplesPerFrame: number): AudioSpecificConfig {
  return { codec, sampleRate, channels, samplesPerFrame };
}

function pack(fields: string): Uint8Array {
  const bits = fields.replaceAll(" ", "");
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, "0"), 2));
}
