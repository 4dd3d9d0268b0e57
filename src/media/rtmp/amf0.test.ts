import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "../../base/cursor.ts";
import { Prng } from "../../base/prng.ts";
import { type Amf0, Amf0Reader, amf0Object, numberField, stringField, writeAmf0 } from "./amf0.ts";

/** Bytes after the AMF 0 specification, section 2. */
const golden: readonly (readonly [string, Amf0])[] = [
  ["00 40 09 21 fb 54 44 2d 18", Math.PI],
  ["01 01", true],
  ["01 00", false],
  ["02 00 05 c3 a9 6c 61 6e", "élan"],
  ["02 00 00", ""],
  ["05", null],
  ["06", undefined],
  ["03 00 03 61 70 70 02 00 04 6c 69 76 65 00 01 6e 00 3f f0 00 00 00 00 00 00 00 00 09", amf0Object({ app: "live", n: 1 })],
  ["08 00 00 00 01 00 01 77 00 40 84 00 00 00 00 00 00 00 00 09", { kind: "array", fields: new Map([["w", 640]]) }],
  ["0a 00 00 00 02 01 01 05", [true, null]],
  ["0b 42 6d 1a 94 a2 00 00 00 00 00", { kind: "date", unixMillis: 1_000_000_000_000 }],
  ["10 00 01 43 00 01 78 05 00 00 09", { kind: "object", className: "C", fields: new Map([["x", null]]) }],
  ["03 00 00 05 00 00 09", amf0Object({ "": null })],
];

for (const [hex, value] of golden) {
  test(`reads and writes ${hex}`, () => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    const reader = new Amf0Reader(bytes);
    assert.deepEqual(reader.value(), value);
    assert.deepEqual([reader.damaged, reader.left], [false, 0]);
    const writer = new Writer(1);
    writeAmf0(writer, value);
    assert.deepEqual(writer.finish(), bytes);
  });
}

test("long strings, XML and the unsupported marker", () => {
  const long = "x".repeat(70_000);
  const writer = new Writer();
  writeAmf0(writer, long);
  assert.equal(new Amf0Reader(writer.finish()).value(), long);
  assert.equal(new Amf0Reader(Uint8Array.of(15, 0, 0, 0, 1, 0x61)).value(), "a");
  const unsupported = new Amf0Reader(Uint8Array.of(13));
  assert.deepEqual([unsupported.value(), unsupported.damaged], [undefined, false]);
});

test("a reference is the object it points to, in the order objects begin; one to itself is damage", () => {
  // [ {a: {}}, ref 2 ] where 0 is the array, 1 the outer, 2 the inner object.
  const bytes = Uint8Array.of(10, 0, 0, 0, 2, 3, 0, 1, 0x61, 3, 0, 0, 9, 0, 0, 9, 7, 0, 2);
  const value = new Amf0Reader(bytes).value();
  assert.deepEqual(value, [amf0Object({ a: amf0Object({}) }), amf0Object({})]);
  const cycle = new Amf0Reader(Uint8Array.of(10, 0, 0, 0, 1, 7, 0, 0));
  cycle.value();
  assert.equal(cycle.damaged, true);
});

test("fields of the wrong kind read as missing", () => {
  const object = amf0Object({ app: 7, width: Number.NaN, height: 360, name: "n" });
  assert.deepEqual([stringField(object, "app"), stringField(object, "name"), stringField(null, "name")], [undefined, "n", undefined]);
  assert.deepEqual([numberField(object, "width"), numberField(object, "height")], [undefined, 360]);
  assert.equal(stringField(object, "__proto__"), undefined);
});

test("deep nesting, endless arrays and cut values are damage", () => {
  // Arrays of one element around a null: sixteen are allowed, one more is not, however whole the bytes are.
  for (const [levels, damaged] of [
    [16, false],
    [17, true],
    [10_000, true],
  ] as const) {
    const deep = new Amf0Reader(Uint8Array.from([...Array.from({ length: 5 * levels }, (_, i) => [10, 0, 0, 0, 1][i % 5]!), 5]));
    deep.value();
    assert.equal(deep.damaged, damaged, `${levels} levels`);
  }
  const endless = new Amf0Reader(Uint8Array.from([10, 0xff, 0xff, 0xff, 0xff, ...new Array(100_000).fill(5)]));
  endless.value();
  assert.deepEqual([endless.damaged, endless.left], [true, 0]);
  for (const [hex] of golden) {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    for (let length = 0; length < bytes.length; length++) {
      const reader = new Amf0Reader(bytes, 0, length);
      reader.value();
      assert.equal(reader.damaged, true, `${hex} cut at ${length}`);
    }
  }
});

test("noise never throws and ends", () => {
  const random = new Prng(0xa3f0);
  for (let i = 0; i < 3000; i++) {
    const bytes = random.fill(new Uint8Array(random.below(200)));
    for (let j = 0; j < bytes.length; j += 3) bytes[j] = random.below(18);
    const reader = new Amf0Reader(bytes);
    let values = 0;
    while (reader.left > 0) {
      reader.value();
      assert.ok(++values <= bytes.length, `seed 0xa3f0, round ${i}`);
    }
  }
});
