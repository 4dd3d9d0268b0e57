/** Known answers of the real programs: keys, ciphers, whole datagrams, recorded sessions. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { Batch } from "../base/batch.ts";
import { cryptoOf } from "../host/crypto.ts";
import { Blowfish } from "./blowfish.ts";
import { Cast5 } from "./cast5.ts";
import { Cfb } from "./cfb.ts";
import type { Scrambler } from "./checksummed.ts";
import { createCipher } from "./cipher.ts";
import type { CipherName } from "./names.ts";
import type { CfbEncryptor, EcbEncryptor, Primitives } from "./primitives.ts";
import { Salsa20 } from "./salsa20.ts";
import { Sm4 } from "./sm4.ts";
import { Tea } from "./tea.ts";
import { TripleDes } from "./triple-des.ts";
import { Twofish } from "./twofish.ts";
import { XorPad } from "./xor.ts";
import { Xtea } from "./xtea.ts";

const skip = vectorsMissing;
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The byte stream all vectors are cut from (manifest.json). */
function rnd(length: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash("sha256").update(`kcptun-vector-${i}`).digest());
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}

interface Vector {
  readonly n: number;
  readonly ct?: string;
  readonly sha256: string;
  readonly nonce: string;
  readonly sha256_ct_and_tag: string;
}
interface Ciphers {
  readonly cfb_iv: string;
  readonly ciphers: readonly { readonly crypt: string; readonly key: string; readonly vectors: readonly Vector[] }[];
  readonly full_datagram_example_aes: { readonly cipher: string; readonly plain: string };
}

const kinds = (["openssl", "node"] as const).flatMap((kind) => {
  const primitives = cryptoOf(kind);
  return primitives === undefined ? [] : [{ kind, primitives }];
});

/** Encrypts the 18 lengths of a cipher in one batch and decrypts them one by one; `nonce` makes the first 16 bytes as the scrambler wants them. */
function checkScrambler(name: CipherName, make: (key: Uint8Array) => Scrambler, nonce?: (plain: Uint8Array) => Uint8Array): void {
  const { key, vectors } = vectorsOf(name);
  const scrambler = make(hex(key));
  const batch = new Batch(vectors.length);
  batch.length = vectors.length;
  vectors.forEach(({ n }, i) => {
    batch.start[i] = batch.slot(i) + 1 + (i & 7);
    batch.end[i] = batch.start[i]! + n;
    batch.bytes.set(rnd(n), batch.start[i]);
    if (nonce) batch.bytes.set(nonce(rnd(16)), batch.start[i]);
  });
  scrambler.encrypt(batch, 0);
  vectors.forEach(({ n, ct, sha256: digest }, i) => {
    const sealed = batch.bytes.slice(batch.start[i], batch.end[i]);
    assert.equal(sha256(sealed), digest, `${n} bytes`);
    if (ct !== undefined) assert.deepEqual(sealed, hex(ct));
    scrambler.decrypt(batch, batch.start[i]!, batch.end[i]!);
    assert.deepEqual(batch.bytes.slice(batch.start[i]! + 16, batch.end[i]), rnd(n).slice(16));
  });
}

function checkBlockCipher(name: CipherName, make: (key: Uint8Array) => EcbEncryptor, makeCfb?: (key: Uint8Array) => CfbEncryptor): void {
  const { key, iv } = vectorsOf(name);
  const ecb = make(hex(key));
  const { blockBytes } = ecb;
  // The nonce of the vectors as kcptun encrypts it under its fixed IV; ours is drawn in this form.
  const encrypted = (plain: Uint8Array): Uint8Array => {
    const sealed = new Uint8Array(16);
    let previous = hex(iv).slice(0, blockBytes);
    for (let at = 0; at < 16; at += blockBytes) {
      const mask = new Uint8Array(blockBytes);
      ecb.encrypt(new DataView(previous.buffer), new DataView(mask.buffer), blockBytes);
      previous = mask.map((byte, i) => byte ^ plain[at + i]!);
      sealed.set(previous, at);
    }
    return sealed;
  };
  checkScrambler(name, (bytes) => new Cfb(ecb, makeCfb?.(bytes)), encrypted);
}

function vectorsOf(name: CipherName): { key: string; iv: string; vectors: readonly Vector[] } {
  const { cfb_iv: iv, ciphers } = readVector<Ciphers>("kcptun/kat/ciphers.json");
  return { iv, ...ciphers.find(({ crypt }) => crypt === name)! };
}

const blockCiphers: readonly (readonly [CipherName, (key: Uint8Array) => EcbEncryptor])[] = [
  ["blowfish", (key) => new Blowfish(key)],
  ["twofish", (key) => new Twofish(key)],
  ["cast5", (key) => new Cast5(key)],
  ["3des", (key) => new TripleDes(key)],
  ["tea", (key) => new Tea(key)],
  ["xtea", (key) => new Xtea(key)],
  ["sm4", (key) => new Sm4(key)],
];
for (const [name, make] of blockCiphers) {
  test(`${name}, 18 lengths in one batch, both ways`, { skip }, () => checkBlockCipher(name, make));
}

test("salsa20, 18 lengths in one batch, both ways", { skip }, () => checkScrambler("salsa20", (key) => new Salsa20(key)));

for (const { kind, primitives } of kinds) {
  test(`${kind}: derived keys`, { skip }, () => {
    const { keys } = readVector<{ keys: { derived: string; password: string }[] }>("kcptun/kat/keys.json");
    for (const { derived, password } of keys) assert.deepEqual(primitives.deriveKey(password), hex(derived));
  });

  for (const name of ["aes", "aes-192", "aes-128"] as const) {
    test(`${kind}: ${name}, 18 lengths in one batch, both ways`, { skip }, () => {
      checkBlockCipher(name, (key) => primitives.aesEcb(key), primitives.aesCfb);
    });
  }

  test(`${kind}: xor, its pad and 18 lengths in one batch, both ways`, { skip }, () => {
    const { xor_table_for_default_password: pad } = readVector<{ xor_table_for_default_password: { hex: string } }>("kcptun/kat/keys.json");
    const zeros = new Batch(1);
    new XorPad(primitives.deriveKey("it's a secrect"), primitives).decrypt(zeros, 0, 1500);
    assert.deepEqual(zeros.bytes.slice(0, 1500), hex(pad.hex));
    checkScrambler("xor", (key) => new XorPad(key, primitives));
  });

  test(`${kind}: aes-128-gcm`, { skip }, () => {
    const { key, vectors } = readVector<Ciphers>("kcptun/kat/ciphers.json").ciphers.find(({ crypt }) => crypt === "aes-128-gcm")!;
    const gcm = primitives.aesGcm(hex(key));
    for (const { n, nonce, sha256_ct_and_tag } of vectors) {
      const bytes = new Uint8Array(n + 40);
      bytes.set(hex(nonce), 3);
      bytes.set(rnd(n), 15);
      gcm.seal(bytes, 3, 15 + n);
      assert.equal(sha256(bytes.slice(15, 15 + n + 16)), sha256_ct_and_tag);
      assert.equal(gcm.open(bytes, 3, 31 + n), true);
      assert.deepEqual(bytes.slice(15, 15 + n), rnd(n));
    }
  });

  test(`${kind}: a whole datagram`, { skip }, () => {
    const { full_datagram_example_aes } = readVector<Ciphers>("kcptun/kat/ciphers.json");
    const cipher = hex(full_datagram_example_aes.cipher);
    const plain = hex(full_datagram_example_aes.plain);
    const key = primitives.deriveKey("it's a secrect");
    const batch = new Batch(1);
    batch.length = 1;
    batch.start[0] = 33;
    batch.end[0] = 33 + plain.length - 20;
    batch.bytes.set(plain.subarray(20), 33);
    const drawn: Primitives = { ...primitives, random: (into) => into.set(cipher.subarray(0, 16)) };
    const aes = createCipher("aes", key, drawn);
    aes.seal(batch, 0);
    assert.deepEqual(batch.bytes.slice(batch.start[0], batch.end[0]), cipher);
    aes.open(batch);
    assert.deepEqual(batch.bytes.slice(batch.start[0], batch.end[0]), plain.slice(20));
  });

  const sessions: readonly (readonly [CipherName, string])[] = [
    ["aes", "cipher-aes"],
    ["aes-128", "cipher-aes-128"],
    ["aes-192", "cipher-aes-192"],
    ["none", "cipher-none"],
    ["null", "cipher-null"],
    ["aes-128-gcm", "cipher-aes-128-gcm"],
    ["aes", "cipher-unknown-falls-back-to-aes"],
    ...(["salsa20", "blowfish", "twofish", "3des", "tea", "xor", "sm4"] as const).map((name) => [name, `cipher-${name}`] as const),
  ];
  for (const [name, file] of sessions) {
    test(`${kind}: recorded session ${file} opens`, { skip }, () => {
      const { datagrams } = readVector<{ datagrams: { h: string }[] }>(`kcptun/sessions/${file}.json`);
      const cipher = createCipher(name, primitives.deriveKey("it's a secrect"), primitives);
      const batch = new Batch(datagrams.length);
      batch.length = datagrams.length;
      datagrams.forEach(({ h }, i) => {
        batch.start[i] = batch.slot(i) + (i & 3);
        batch.end[i] = batch.start[i]! + h.length / 2;
        batch.bytes.set(hex(h), batch.start[i]);
      });
      cipher.open(batch);
      assert.deepEqual(cipher.stats, { sealed: 0, opened: datagrams.length, shortDatagrams: 0, longDatagrams: 0, checksumErrors: 0 });
      // Every body is a bare KCP packet (cmd 81…84 at offset 4) or an FEC packet.
      datagrams.forEach((_, i) => {
        const type = batch.view.getUint16(batch.start[i]! + 4, true);
        assert.ok((type >= 81 && type <= 84) || (type >= 0xf1 && type <= 0xf3), `datagram ${i}: ${type}`);
      });
    });
  }
}
