/** How long a raw connection's packets are: sealed by the code that seals the real ones, so that the two cannot differ. */
import { AEAD_HANDSHAKE_BYTES, aeadBytes } from "../faketcp/aead.ts";
import { AEAD_MODE } from "../faketcp/cipher-mode.ts";
import { DATAGRAM_HEADER_BYTES } from "../faketcp/datagram-header.ts";
import { IPV4_BYTES, IPV6_BYTES } from "../faketcp/ip-header.ts";
import { deriveKeys } from "../faketcp/keys.ts";
import type { RawMode } from "../faketcp/mode.ts";
import { BARE_BYTES, DATA_HEAD_BYTES, PLAIN_BYTES_MAX, SAFER_HEAD_BYTES } from "../faketcp/packet.ts";
import { LENGTH_BYTES, Seal, type SealOptions, TAIL_BYTES_MAX } from "../faketcp/seal.ts";
import { TCP_BYTES, TCP_SYN_BYTES } from "../faketcp/tcp-header.ts";
import { crc32, faketcpPrimitives } from "../host/faketcp-crypto.ts";

export type IpVersion = 4 | 6;

export class RawSizes {
  readonly #mode: RawMode;
  readonly #seal: Seal;
  readonly #aead: boolean;
  readonly #room = new Uint8Array(new ArrayBuffer(LENGTH_BYTES + PLAIN_BYTES_MAX + TAIL_BYTES_MAX));

  constructor(mode: RawMode, options: SealOptions) {
    this.#mode = mode;
    this.#aead = options.cipherMode === AEAD_MODE;
    // No length depends on the keys.
    this.#seal = new Seal("client-->server", options, deriveKeys("sizes", faketcpPrimitives), faketcpPrimitives, crc32);
  }

  /** IP and TCP, ICMP or UDP before a sealed packet. */
  headers(version: IpVersion): number {
    return ipBytes(version) + (this.#mode === "faketcp" ? TCP_BYTES : DATAGRAM_HEADER_BYTES);
  }

  /** Whole packet of faketcp's SYN and of the answer to it. */
  syn(version: IpVersion): number {
    return ipBytes(version) + TCP_SYN_BYTES;
  }

  /** A handshake packet, sealed. */
  get bare(): number {
    return this.#aead ? AEAD_HANDSHAKE_BYTES : this.#sealed(BARE_BYTES);
  }

  /** A heartbeat with so many zeros, sealed; −1 when it is too long. */
  heartbeat(bytes: number): number {
    return this.#framed(SAFER_HEAD_BYTES + bytes);
  }

  /** A datagram of so many bytes, sealed; −1 when it is too long to be carried. */
  datagram(bytes: number): number {
    return this.#framed(DATA_HEAD_BYTES + bytes);
  }

  /** The longest datagram that fits into an IP packet of so many bytes; −1 when none does. */
  largestDatagram(version: IpVersion, packetBytes: number): number {
    const room = packetBytes - this.headers(version);
    let bytes = Math.min(room, PLAIN_BYTES_MAX) - DATA_HEAD_BYTES;
    while (bytes >= 0 && !(this.datagram(bytes) <= room)) bytes--;
    return Math.max(bytes, -1);
  }

  #framed(plain: number): number {
    const sealed = this.#aead ? this.#aeadSealed(plain) : this.#sealed(plain);
    return sealed < 0 ? -1 : LENGTH_BYTES + sealed - this.#seal.frame(this.#room, LENGTH_BYTES, LENGTH_BYTES + sealed);
  }

  #aeadSealed(plain: number): number {
    return plain > PLAIN_BYTES_MAX ? -1 : aeadBytes(plain);
  }

  #sealed(plain: number): number {
    const end = this.#seal.seal(this.#room, LENGTH_BYTES, LENGTH_BYTES + plain);
    return end < 0 ? -1 : end - LENGTH_BYTES;
  }
}

function ipBytes(version: IpVersion): number {
  return version === 4 ? IPV4_BYTES : IPV6_BYTES;
}
