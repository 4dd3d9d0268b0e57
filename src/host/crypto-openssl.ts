/**
 * Primitives of the OpenSSL 3 inside the node executable, by foreign calls.
 *
 * Every call passes plain integers, addresses included: passing a typed array costs half as much again, and an offset into one would need
 * a subarray. An address stays valid as long as its ArrayBuffer is neither detached nor collected, so each user remembers the
 * ArrayBuffer together with its address. Every range is checked against the buffer before the call, because behind it nothing checks.
 *
 * Source: the manual pages EVP_EncryptInit(3), EVP_CIPHER_CTX_ctrl(3) of OpenSSL 3; crc32_z of zlib.
 */
import koffi from "koffi";
import { assert } from "../base/assert.ts";
import type { CfbEncryptor, EcbEncryptor, Gcm } from "../cipher/primitives.ts";
import type { BlockPrimitives } from "./crypto.ts";

export type Address = number;

/** Functions of OpenSSL and zlib as they are in the process; 0 is NULL. */
interface Symbols {
  contextNew(): Address;
  contextFree(context: Address): void;
  init(context: Address, cipher: Address, engine: 0, key: Address, iv: Address): number;
  update(context: Address, output: Address, outputBytes: Address, input: Address, inputBytes: number): number;
  final(context: Address, output: Address, outputBytes: Address): number;
  decryptInit(context: Address, cipher: Address, engine: 0, key: Address, iv: Address): number;
  decryptUpdate(context: Address, output: Address, outputBytes: Address, input: Address, inputBytes: number): number;
  decryptFinal(context: Address, output: Address, outputBytes: Address): number;
  setPadding(context: Address, padding: 0 | 1): number;
  control(context: Address, command: number, argument: number, pointer: Address): number;
  cipher(name: string): Address;
  crc32(crc: number, bytes: Address, length: number): number;
}

const BLOCK_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG. */
const GET_TAG = 0x10;
const SET_TAG = 0x11;

let symbols: Symbols | undefined;

/** Undefined when koffi has no binary for this platform or node was linked without exporting OpenSSL. */
export function opensslPrimitives(): BlockPrimitives | undefined {
  try {
    symbols ??= load();
  } catch {
    return undefined;
  }
  const at = new Pinned();
  return {
    aesEcb: (key) => new OpensslEcb(key),
    aesCfb: (key) => new OpensslCfb(key),
    aesGcm: (key) => new OpensslGcm(key),
    crc32: (view, start, end) => {
      assert(start >= 0 && end >= start && end <= view.byteLength, "checksum outside the buffer");
      return symbols!.crc32(0, at.of(view) + start, end - start);
    },
  };
}

function load(): Symbols {
  const library = koffi.load(null);
  const init = ["uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t"];
  const update = ["uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t", "int"];
  const final = ["uintptr_t", "uintptr_t", "uintptr_t"];
  return {
    contextNew: library.func("EVP_CIPHER_CTX_new", "uintptr_t", []),
    contextFree: library.func("EVP_CIPHER_CTX_free", "void", ["uintptr_t"]),
    init: library.func("EVP_EncryptInit_ex", "int", init),
    update: library.func("EVP_EncryptUpdate", "int", update),
    final: library.func("EVP_EncryptFinal_ex", "int", final),
    decryptInit: library.func("EVP_DecryptInit_ex", "int", init),
    decryptUpdate: library.func("EVP_DecryptUpdate", "int", update),
    decryptFinal: library.func("EVP_DecryptFinal_ex", "int", final),
    setPadding: library.func("EVP_CIPHER_CTX_set_padding", "int", ["uintptr_t", "int"]),
    control: library.func("EVP_CIPHER_CTX_ctrl", "int", ["uintptr_t", "int", "int", "uintptr_t"]),
    cipher: library.func("EVP_get_cipherbyname", "uintptr_t", ["str"]),
    crc32: library.func("crc32_z", "uint32_t", ["uint32_t", "uintptr_t", "size_t"]),
  };
}

/** The address of the array seen last; the reference to it keeps it from being collected. Asking an array for its buffer costs more than a comparison. */
export class Pinned {
  #array: Uint8Array | DataView | undefined;
  #address: Address = 0;

  of(array: Uint8Array | DataView): Address {
    if (array !== this.#array) {
      this.#array = array;
      this.#address = Number(koffi.address(array.buffer)) + array.byteOffset;
    }
    return this.#address;
  }
}

const contexts = new FinalizationRegistry<Address>((context) => symbols!.contextFree(context));

/** An EVP_CIPHER_CTX with its key, freed when `owner` is collected. */
function context(owner: object, name: string, key: Uint8Array, decrypt = false): Address {
  const made = symbols!.contextNew();
  contexts.register(owner, made);
  const cipher = symbols!.cipher(name);
  assert(made !== 0 && cipher !== 0, `OpenSSL lacks ${name}`);
  // The bytes of a short array may lie where the collector moves them; those of an ArrayBuffer never move.
  const still = new Uint8Array(new ArrayBuffer(key.length));
  still.set(key);
  const start = decrypt ? symbols!.decryptInit : symbols!.init;
  assert(start(made, cipher, 0, Number(koffi.address(still.buffer)), 0) === 1, `OpenSSL refused a key for ${name}`);
  still.fill(0);
  return made;
}

/** Where OpenSSL writes how many bytes it wrote; never read, because with whole blocks and streams it is the input's length. */
const ignored = new ArrayBuffer(BLOCK_BYTES);
const ignoredAddress: () => Address = () => Number(koffi.address(ignored));

class OpensslEcb implements EcbEncryptor {
  readonly blockBytes = BLOCK_BYTES;
  readonly #context: Address;
  readonly #ignored: Address = ignoredAddress();
  readonly #input = new Pinned();
  readonly #output = new Pinned();

  constructor(key: Uint8Array) {
    this.#context = context(this, `aes-${key.length * 8}-ecb`, key);
    symbols!.setPadding(this.#context, 0);
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    assert(bytes >= 0 && bytes % BLOCK_BYTES === 0, "ECB takes whole blocks");
    assert(inputAt >= 0 && inputAt + bytes <= input.byteLength && bytes <= output.byteLength, "ECB outside the buffer");
    const done = symbols!.update(this.#context, this.#output.of(output), this.#ignored, this.#input.of(input) + inputAt, bytes);
    assert(done === 1, "EVP_EncryptUpdate failed");
  }
}

class OpensslCfb implements CfbEncryptor {
  /** Measured (bench/cipher.ts): with fewer packets the calls of lock step cost more than the chain. */
  readonly lockStepFrom = 5;
  readonly #context: Address;
  readonly #ignored: Address = ignoredAddress();
  readonly #bytes = new Pinned();

  constructor(key: Uint8Array) {
    this.#context = context(this, `aes-${key.length * 8}-cfb`, key);
  }

  encrypt(bytes: Uint8Array, start: number, end: number): void {
    const text = start + BLOCK_BYTES;
    assert(start >= 0 && end >= text && end <= bytes.length, "CFB outside the buffer");
    const base = this.#bytes.of(bytes);
    symbols!.init(this.#context, 0, 0, 0, base + start);
    const done = symbols!.update(this.#context, base + text, this.#ignored, base + text, end - text);
    assert(done === 1, "EVP_EncryptUpdate failed");
  }
}

class OpensslGcm implements Gcm {
  readonly #seal: Address;
  readonly #open: Address;
  readonly #ignored: Address = ignoredAddress();
  readonly #bytes = new Pinned();

  constructor(key: Uint8Array) {
    this.#seal = context(this, "aes-128-gcm", key);
    this.#open = context(this, "aes-128-gcm", key, true);
  }

  seal(bytes: Uint8Array, start: number, end: number): void {
    const text = start + NONCE_BYTES;
    assert(start >= 0 && end >= text && end + TAG_BYTES <= bytes.length, "GCM outside the buffer");
    const base = this.#bytes.of(bytes);
    symbols!.init(this.#seal, 0, 0, 0, base + start);
    symbols!.update(this.#seal, base + text, this.#ignored, base + text, end - text);
    const done = symbols!.final(this.#seal, base + end, this.#ignored);
    assert(done === 1 && symbols!.control(this.#seal, GET_TAG, TAG_BYTES, base + end) === 1, "EVP_EncryptFinal_ex failed");
  }

  open(bytes: Uint8Array, start: number, end: number): boolean {
    const text = start + NONCE_BYTES;
    const tag = end - TAG_BYTES;
    assert(start >= 0 && tag >= text && end <= bytes.length, "GCM outside the buffer");
    const base = this.#bytes.of(bytes);
    symbols!.decryptInit(this.#open, 0, 0, 0, base + start);
    symbols!.decryptUpdate(this.#open, base + text, this.#ignored, base + text, tag - text);
    symbols!.control(this.#open, SET_TAG, TAG_BYTES, base + tag);
    return symbols!.decryptFinal(this.#open, base + tag, this.#ignored) === 1;
  }
}
