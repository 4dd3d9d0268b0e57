/** The block ciphers against their specifications' own examples, and against OpenSSL where it has them. */
import assert from "node:assert/strict";
import { createCipheriv, createHash, getCiphers } from "node:crypto";
import { test } from "node:test";
import { Batch } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { Blowfish } from "./blowfish.ts";
import { Cast5 } from "./cast5.ts";
import { CAST5_BOXES } from "./cast5-box.ts";
import { piFraction } from "./pi.ts";
import type { EcbEncryptor } from "./primitives.ts";
import { Salsa20 } from "./salsa20.ts";
import { Sm4 } from "./sm4.ts";
import { TripleDes } from "./triple-des.ts";
import { Twofish } from "./twofish.ts";
import { Xtea } from "./xtea.ts";

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text);

function encrypt(cipher: EcbEncryptor, text: Uint8Array): Uint8Array {
  const output = new Uint8Array(text.length);
  cipher.encrypt(new DataView(text.buffer), new DataView(output.buffer), text.length);
  return output;
}

/** Of the RFC or paper that each cipher's head names; Blowfish's is of its author's list of test vectors, XTEA's of the common one. */
const examples: readonly (readonly [string, EcbEncryptor, string, string])[] = [
  ["CAST5", new Cast5(hex("0123456712345678234567893456789a")), "0123456789abcdef", "238b4fe5847e44b2"],
  ["SM4", new Sm4(hex("0123456789abcdeffedcba9876543210")), "0123456789abcdeffedcba9876543210", "681edf34d206965e86b3e94f536e4246"],
  [
    "Twofish",
    new Twofish(hex("0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff")),
    "00000000000000000000000000000000",
    "37527be0052334b89f0cfccae87cfa20",
  ],
  ["Blowfish", new Blowfish(hex("0000000000000000")), "0000000000000000", "4ef997456198dd78"],
  ["Blowfish", new Blowfish(hex("ffffffffffffffff")), "ffffffffffffffff", "51866fd5b85ecb8a"],
  ["XTEA", new Xtea(hex("000102030405060708090a0b0c0d0e0f")), "4142434445464748", "497df3d072612cb5"],
];
for (const [name, cipher, text, expected] of examples) {
  test(`${name}: ${text}`, () => assert.deepEqual(encrypt(cipher, hex(text)), hex(expected)));
}

const openssl: readonly (readonly [string, number, (key: Uint8Array) => EcbEncryptor])[] = [
  ["sm4-ecb", 16, (key) => new Sm4(key)],
  ["des-ede3-ecb", 24, (key) => new TripleDes(key)],
];
for (const [name, keyBytes, make] of openssl) {
  test(`${name}: as OpenSSL's, 200 keys`, { skip: getCiphers().includes(name) ? false : "not in this OpenSSL" }, () => {
    const prng = new Prng(3);
    for (let i = 0; i < 200; i++) {
      const key = prng.fill(new Uint8Array(keyBytes));
      const text = prng.fill(new Uint8Array(48));
      const reference = createCipheriv(name, key, null).setAutoPadding(false);
      assert.deepEqual(encrypt(make(key), text), new Uint8Array(reference.update(text)));
    }
  });
}

test("Salsa20: keystream of the first ECRYPT vector, and of a second block", () => {
  const batch = new Batch(1);
  const cipher = new Salsa20(hex(`80${"00".repeat(31)}`));
  cipher.decrypt(batch, 0, 8 + 65);
  const expected =
    "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117";
  assert.deepEqual(batch.bytes.slice(0, 8 + 64), hex(`${"00".repeat(8)}${expected}`));
  cipher.decrypt(batch, 0, 8 + 65);
  assert.ok(batch.bytes.every((byte) => byte === 0));
});

test("blocks are taken from where they lie, and encrypted in place", () => {
  for (const cipher of [new Xtea(new Uint8Array(16)), new Sm4(new Uint8Array(16)), new Twofish(new Uint8Array(32))]) {
    const bytes = new Prng(4).fill(new Uint8Array(64));
    const expected = encrypt(cipher, bytes.slice(7, 39));
    const output = new Uint8Array(32);
    cipher.encrypt(new DataView(bytes.buffer), new DataView(output.buffer), 32, 7);
    assert.deepEqual(output, expected);
    const view = new DataView(bytes.buffer, 7);
    cipher.encrypt(view, view, 32);
    assert.deepEqual(bytes.slice(7, 39), expected);
  }
});

test("π begins and, 1042 words on, ends as Blowfish's last S-box does", () => {
  const words = piFraction(1042);
  assert.deepEqual([...words.slice(0, 3)], [0x243f6a88, 0x85a308d3 | 0, 0x13198a2e]);
  assert.deepEqual([...words.slice(-3)], [0xce77e25b | 0, 0x578fdfe3, 0x3ac372e6]);
  assert.deepEqual(piFraction(900), words.slice(0, 900));
});

test("the S-boxes of CAST5 are whole", () => {
  const bytes = new Uint8Array(CAST5_BOXES.length * 4);
  const view = new DataView(bytes.buffer);
  CAST5_BOXES.forEach((word, i) => {
    view.setInt32(i * 4, word);
  });
  // Of the tables in RFC 2144, checked against three builds of OpenSSL.
  assert.equal(createHash("sha256").update(bytes).digest("hex"), "f92e9b4c9e1d6bf0a515c473cf0c0b92e7b5def980426ffed5b12fc050174d0c");
});

test("keys of a wrong length are refused", () => {
  for (const make of [
    () => new Sm4(new Uint8Array(15)),
    () => new Twofish(new Uint8Array(16)),
    () => new Cast5(new Uint8Array(10)),
    () => new TripleDes(new Uint8Array(16)),
    () => new Xtea(new Uint8Array(17)),
    () => new Blowfish(new Uint8Array(3)),
  ]) {
    assert.throws(make, { code: "ERR_LONGHAUL_ASSERTION" });
  }
});
