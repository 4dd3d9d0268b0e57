/**
 * Memory that the kernel reads and writes: an ArrayBuffer, which lies outside V8's heap and does not move, with its address.
 * Whoever hands the address to a system call keeps the Block, and with it the memory, alive.
 */
import type { Address, Sys } from "./sys.ts";

const TWO_TO_32 = 4_294_967_296;

export class Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** 32-bit words, little-endian like every machine the foreign calls run on. */
  readonly words: Int32Array;
  readonly address: Address;

  /** `length` in bytes is rounded up to whole 64-bit words. */
  constructor(sys: Sys, length: number) {
    const buffer = new ArrayBuffer((length + 7) & ~7);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
    this.address = sys.addressOf(buffer);
  }
}

/** Writes a pointer as two words. */
export function writePointer(words: Int32Array, at: number, address: Address): void {
  words[at] = address | 0;
  words[at + 1] = address / TWO_TO_32;
}

/** Addresses of buffers that others made; each is asked for once. */
export class AddressCache {
  readonly #sys: Sys;
  readonly #addresses = new WeakMap<ArrayBufferLike, Address>();
  /** Comparing arrays is quicker than asking one for its buffer. */
  #lastArray: Uint8Array | undefined;
  #lastAddress: Address = 0;

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  /** Address of bytes[0]; exact as long as the buffer is neither detached nor transferred. */
  of(bytes: Uint8Array): Address {
    if (bytes === this.#lastArray) return this.#lastAddress;
    // Asking for `buffer` first moves a small array out of V8's heap for good.
    const { buffer } = bytes;
    let address = this.#addresses.get(buffer);
    if (address === undefined) {
      address = this.#sys.addressOf(buffer);
      this.#addresses.set(buffer, address);
    }
    this.#lastArray = bytes;
    this.#lastAddress = address + bytes.byteOffset;
    return this.#lastAddress;
  }
}
