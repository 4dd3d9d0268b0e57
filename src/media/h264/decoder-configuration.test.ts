import assert from "node:assert/strict";
import { test } from "node:test";
import { decoderConfigurationOf, parameterSets, parseDecoderConfiguration } from "./decoder-configuration.ts";

/** Of assets/demo.flv. */
const record = Uint8Array.from(
  Buffer.from("0164001fffe1001b6764001fac4c2205017fcb80880000030008000003" + "01e078c1908c01000668e84332c8b0fdf8f800", "hex"),
);

test("reads the record of a real stream", () => {
  const configuration = parseDecoderConfiguration(record);
  assert.ok(configuration);
  assert.equal(configuration.codec, "avc1.64001f");
  assert.equal(configuration.lengthBytes, 4);
  assert.deepEqual([configuration.sequence.width, configuration.sequence.height, configuration.sequence.framesPerSecond], [640, 360, 30]);
  assert.deepEqual(configuration.record, record);
  assert.notEqual(configuration.record.buffer, record.buffer, "the record is the configuration's own");
});

test("a record of shorter lengths is changed to announce four bytes", () => {
  const short = record.slice();
  short[4] = 0xfd;
  const configuration = parseDecoderConfiguration(short);
  assert.equal(configuration?.lengthBytes, 2);
  assert.deepEqual(configuration?.record, record);
});

test("records that are cut, of another version, or without parameter sets are refused", () => {
  // All but the extension behind the parameter sets is needed.
  for (let length = 0; length < record.length - 4; length++)
    assert.equal(parseDecoderConfiguration(record.subarray(0, length)), undefined, `${length} bytes`);
  const version = record.slice();
  version[0] = 0;
  assert.equal(parseDecoderConfiguration(version), undefined);
  assert.equal(parseDecoderConfiguration(Uint8Array.of(1, 0x64, 0, 0x1f, 0xff, 0xe0, 0)), undefined);
  const threeByteLengths = record.slice();
  threeByteLengths[4] = 0xfe;
  assert.equal(parseDecoderConfiguration(threeByteLengths), undefined);
});

test("a record is made of its parameter sets, and gives them back", () => {
  const [sequence, picture] = parameterSets(record);
  assert.deepEqual([sequence!.length, picture!.length], [27, 6]);
  const made = decoderConfigurationOf(sequence!, picture!);
  assert.deepEqual([made?.codec, made?.sequence.width], ["avc1.64001f", 640]);
  assert.deepEqual(parameterSets(made!.record), [sequence, picture]);
  assert.equal(decoderConfigurationOf(Uint8Array.of(0x67), picture!), undefined);
});
