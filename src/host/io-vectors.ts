/**
 * The message header and the vectors by which one call reads or writes many pieces of a stream.
 *
 * Source: recvmsg(2), sendmsg(2), readv(2): at most 1,024 vectors a call.
 */

import { assert } from "../base/assert.ts";
import type { Pieces } from "../base/pieces.ts";
import { type AddressCache, Block, writePointer } from "./block.ts";
import { PIECES_MAX } from "./loop.ts";
import * as message from "./message.ts";
import type { Address, Sys } from "./sys.ts";

export class IoVectors {
  readonly #addresses: AddressCache;
  readonly #header: Block;
  readonly #vectors: Block;
  /** Bytes of the pieces laid last. */
  bytes = 0;

  constructor(sys: Sys, addresses: AddressCache) {
    this.#addresses = addresses;
    this.#header = new Block(sys, message.MMSGHDR_WORDS * 4);
    this.#vectors = new Block(sys, PIECES_MAX * message.IOVEC_WORDS * 4);
    writePointer(this.#header.words, message.IOV, this.#vectors.address);
  }

  /** Lays the pieces; answers the address of the header, valid until the next call. */
  lay(pieces: Pieces): Address {
    const { words } = this.#vectors;
    const base = this.#addresses.of(pieces.bytes);
    const count = pieces.length;
    assert(count > 0 && count <= PIECES_MAX, "one call takes 1…256 pieces");
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const at = i * message.IOVEC_WORDS;
      const start = pieces.start[i]!;
      const length = pieces.end[i]! - start;
      writePointer(words, at, base + start);
      words[at + message.IOVEC_LENGTH] = length;
      bytes += length;
    }
    this.bytes = bytes;
    this.#header.words[message.IOV_LENGTH] = count;
    return this.#header.address;
  }
}
