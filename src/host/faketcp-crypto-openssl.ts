/**
 * The faketcp core's primitives by foreign calls to the OpenSSL inside the node executable, on the slab itself.
 *
 * Each direction of each mode has a context of its own with its key set up; a call only resets the IV. HMAC-SHA1 is two SHA1 contexts that
 * have taken the padded key, copied for every packet.
 *
 * Source: the manual pages EVP_EncryptInit(3) and EVP_DigestInit(3) of OpenSSL 3; RFC 2104.
 */
import koffi from "koffi";
import { assert } from "../base/assert.ts";
import type { Blocks, Mac, Primitives } from "../faketcp/primitives.ts";
import { type Address, Pinned } from "./crypto-openssl.ts";

const BLOCK_BYTES = 16;
const SHA1_BLOCK_BYTES = 64;

interface Symbols {
  contextNew(): Address;
  contextFree(context: Address): void;
  init(context: Address, cipher: Address, engine: 0, key: Address, iv: Address, encrypt: number): number;
  update(context: Address, output: Address, outputBytes: Address, input: Address, inputBytes: number): number;
  setPadding(context: Address, padding: 0 | 1): number;
  cipher(name: string): Address;
  digestNew(): Address;
  digestFree(context: Address): void;
  digestCopy(to: Address, from: Address): number;
  digestInit(context: Address, digest: Address, engine: 0): number;
  digestUpdate(context: Address, bytes: Address, length: number): number;
  digestFinal(context: Address, into: Address, length: 0): number;
  digest(name: string): Address;
}

let symbols: Symbols | undefined;

/** @throws when koffi or a symbol is missing */
export function opensslBlocks(): Pick<Primitives, "aesCbc" | "aesCfb" | "aesEcb" | "md5" | "hmacSha1"> {
  symbols ??= load();
  return {
    aesCbc: (key) => new OpensslCbc(key),
    aesCfb: (key) => new OpensslBlocks("aes-128-cfb", key),
    aesEcb: (key) => new OpensslBlocks("aes-128-ecb", key, false),
    md5: md5(),
    hmacSha1,
  };
}

function load(): Symbols {
  const library = koffi.load(null);
  const pointer = "uintptr_t";
  return {
    contextNew: library.func("EVP_CIPHER_CTX_new", pointer, []),
    contextFree: library.func("EVP_CIPHER_CTX_free", "void", [pointer]),
    init: library.func("EVP_CipherInit_ex", "int", [pointer, pointer, pointer, pointer, pointer, "int"]),
    update: library.func("EVP_CipherUpdate", "int", [pointer, pointer, pointer, pointer, "int"]),
    setPadding: library.func("EVP_CIPHER_CTX_set_padding", "int", [pointer, "int"]),
    cipher: library.func("EVP_get_cipherbyname", pointer, ["str"]),
    digestNew: library.func("EVP_MD_CTX_new", pointer, []),
    digestFree: library.func("EVP_MD_CTX_free", "void", [pointer]),
    digestCopy: library.func("EVP_MD_CTX_copy_ex", "int", [pointer, pointer]),
    digestInit: library.func("EVP_DigestInit_ex", "int", [pointer, pointer, pointer]),
    digestUpdate: library.func("EVP_DigestUpdate", "int", [pointer, pointer, "size_t"]),
    digestFinal: library.func("EVP_DigestFinal_ex", "int", [pointer, pointer, pointer]),
    digest: library.func("EVP_get_digestbyname", pointer, ["str"]),
  };
}

const contexts = new FinalizationRegistry<Address>((context) => symbols!.contextFree(context));
const digests = new FinalizationRegistry<Address>((context) => symbols!.digestFree(context));

/** Zeros for IVs, and where OpenSSL writes a length that is known. An ArrayBuffer's bytes never move. */
const zeros = new ArrayBuffer(BLOCK_BYTES);
const ignored = new ArrayBuffer(BLOCK_BYTES);

/** A copy of short bytes where the collector does not move them, with its address. */
function still(bytes: Uint8Array): { copy: Uint8Array; address: Address } {
  const copy = new Uint8Array(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  return { copy, address: Number(koffi.address(copy.buffer)) };
}

class OpensslBlocks implements Blocks {
  readonly #encrypt: Address;
  readonly #decrypt: Address;
  readonly #bytes = new Pinned();
  readonly #iv: Address = Number(koffi.address(zeros));
  readonly #ignored: Address = Number(koffi.address(ignored));

  /** `fresh`: every call begins with an IV of zeros. */
  readonly #fresh: boolean;

  constructor(name: string, key: Uint8Array, fresh = true) {
    this.#fresh = fresh;
    const made = still(key);
    const context = (encrypt: 0 | 1): Address => {
      const address = symbols!.contextNew();
      contexts.register(this, address);
      const done = symbols!.init(address, symbols!.cipher(name), 0, made.address, this.#iv, encrypt);
      assert(done === 1 && symbols!.setPadding(address, 0) === 1, `OpenSSL refused ${name}`);
      return address;
    };
    this.#encrypt = context(1);
    this.#decrypt = context(0);
    made.copy.fill(0);
  }

  encrypt(bytes: Uint8Array, start: number, end: number): void {
    this.#run(this.#encrypt, 1, bytes, start, end);
  }

  decrypt(bytes: Uint8Array, start: number, end: number): void {
    this.#run(this.#decrypt, 0, bytes, start, end);
  }

  #run(context: Address, encrypt: 0 | 1, bytes: Uint8Array, start: number, end: number): void {
    assert(start >= 0 && end >= start && end <= bytes.length, "a packet outside its buffer");
    const at = this.#bytes.of(bytes) + start;
    if (this.#fresh) symbols!.init(context, 0, 0, 0, this.#iv, encrypt);
    assert(symbols!.update(context, at, this.#ignored, at, end - start) === 1, "EVP_CipherUpdate failed");
  }
}

/**
 * CBC whose contexts are never set back, which would cost as much as a packet's blocks: the chain goes on from packet to packet, and the last block of the
 * one before is taken out of the first block again.
 */
class OpensslCbc implements Blocks {
  readonly #blocks: OpensslBlocks;
  readonly #sealed = new Uint8Array(new ArrayBuffer(BLOCK_BYTES));
  readonly #opened = new Uint8Array(new ArrayBuffer(BLOCK_BYTES));
  readonly #next = new Uint8Array(new ArrayBuffer(BLOCK_BYTES));

  constructor(key: Uint8Array) {
    this.#blocks = new OpensslBlocks("aes-128-cbc", key, false);
  }

  encrypt(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const last = this.#sealed;
    for (let i = 0; i < BLOCK_BYTES; i++) bytes[start + i]! ^= last[i]!;
    this.#blocks.encrypt(bytes, start, end);
    for (let i = 0; i < BLOCK_BYTES; i++) last[i] = bytes[end - BLOCK_BYTES + i]!;
  }

  decrypt(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const [last, next] = [this.#opened, this.#next];
    for (let i = 0; i < BLOCK_BYTES; i++) next[i] = bytes[end - BLOCK_BYTES + i]!;
    this.#blocks.decrypt(bytes, start, end);
    for (let i = 0; i < BLOCK_BYTES; i++) {
      bytes[start + i]! ^= last[i]!;
      last[i] = next[i]!;
    }
  }
}

function digestContext(owner: object): Address {
  const address = symbols!.digestNew();
  digests.register(owner, address);
  return address;
}

function md5(): Primitives["md5"] {
  const pinned = new Pinned();
  const context = digestContext(pinned);
  const digest = symbols!.digest("md5");
  return (bytes, start, end, at) => {
    assert(start >= 0 && end >= start && end <= bytes.length && at + 16 <= bytes.length, "a digest outside its buffer");
    const base = pinned.of(bytes);
    symbols!.digestInit(context, digest, 0);
    symbols!.digestUpdate(context, base + start, end - start);
    assert(symbols!.digestFinal(context, base + at, 0) === 1, "EVP_DigestFinal_ex failed");
  };
}

function hmacSha1(key: Uint8Array): Mac {
  const pinned = new Pinned();
  const sha1 = symbols!.digest("sha1");
  const keyed = (pad: number): Address => {
    const block = new Uint8Array(SHA1_BLOCK_BYTES);
    block.set(key);
    const made = still(block.map((byte) => byte ^ pad));
    const context = digestContext(pinned);
    symbols!.digestInit(context, sha1, 0);
    symbols!.digestUpdate(context, made.address, SHA1_BLOCK_BYTES);
    made.copy.fill(0);
    return context;
  };
  const inner = keyed(0x36);
  const outer = keyed(0x5c);
  const context = digestContext(pinned);
  return (bytes, start, end, at) => {
    assert(start >= 0 && end >= start && end <= bytes.length && at + 20 <= bytes.length, "a MAC outside its buffer");
    const base = pinned.of(bytes);
    symbols!.digestCopy(context, inner);
    symbols!.digestUpdate(context, base + start, end - start);
    symbols!.digestFinal(context, base + at, 0);
    symbols!.digestCopy(context, outer);
    symbols!.digestUpdate(context, base + at, 20);
    assert(symbols!.digestFinal(context, base + at, 0) === 1, "EVP_DigestFinal_ex failed");
  };
}
