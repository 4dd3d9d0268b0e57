/**
 * SRTP: RTP and RTCP sealed and opened, one direction a context.
 *
 *   RTP    | header ─────────────── | payload, encrypted ─ | tag |
 *   RTCP   | first 8 bytes          | rest, encrypted ──── | [tag] E+index [tag] |      GCM: tag before the index, HMAC: behind it
 *
 * Source: RFC 3711 sections 3.3, 4.1 to 4.3 and appendix A (index, replay), RFC 7714 sections 8, 9 and 17.
 *
 * In place of werift's, which has no replay protection and loses the roll-over counter for good when a hundred packets around a wrap are lost.
 *
 * Deviations: no MKI, no rekeying, key derivation rate 0: DTLS-SRTP uses none of it.
 */
import { type CipherGCM, createCipheriv, createDecipheriv, createHmac, type DecipherGCM, timingSafeEqual } from "node:crypto";
import type { Bytes } from "../base/units.ts";
import { extensionOffset } from "../media/rtp/rtp-packet.ts";

export type SrtpProfile = "aes128-cm-sha1-80" | "aead-aes-128-gcm";

const HMAC_TAG: Bytes = 10;
const GCM_TAG: Bytes = 16;
const INDEX_BYTES: Bytes = 4;
const RTCP_CLEAR: Bytes = 8;
const RTP_HEADER: Bytes = 12;
const ENCRYPTED = 0x80000000;
/** Packets that may come late and are told apart, a power of two. */
const REPLAY_WINDOW = 1024;
/** Streams whose indices are kept. */
const STREAMS_MAX = 256;

/** Highest index seen of one SSRC, and which of those before it. */
class Indices {
  highest = -1;
  readonly #seen = new Float64Array(REPLAY_WINDOW).fill(-1);

  /** The packet index nearest to the last that has this sequence number (RFC 3711 section 3.3.1). */
  estimate(sequence: number): number {
    if (this.highest < 0) return sequence;
    const estimated = this.highest + (((sequence - this.highest) << 16) >> 16);
    return estimated < 0 ? estimated + 0x10000 : estimated;
  }

  fresh(index: number): boolean {
    return index > this.highest - REPLAY_WINDOW && this.#seen[index % REPLAY_WINDOW] !== index;
  }

  accept(index: number): void {
    this.#seen[index % REPLAY_WINDOW] = index;
    if (index > this.highest) this.highest = index;
  }
}

export class SrtpContext {
  readonly tagBytes: Bytes;
  readonly #gcm: boolean;
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #rtpIndices = new Map<number, Indices>();
  readonly #rtcpIndices = new Map<number, Indices>();

  /** `key` 16 bytes; `salt` 14 bytes, 12 with GCM: of the direction this context is for. */
  constructor(profile: SrtpProfile, key: Uint8Array, salt: Uint8Array) {
    this.#gcm = profile === "aead-aes-128-gcm";
    this.tagBytes = this.#gcm ? GCM_TAG : HMAC_TAG;
    this.#rtp = deriveKeys(key, salt, 0);
    this.#rtcp = deriveKeys(key, salt, 3);
  }

  /** Seals the RTP packet bytes[start…end). Sequence numbers of a stream may go back, as when a packet is sent again. */
  sealRtp(bytes: Uint8Array, start: number, end: number): Buffer {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const body = rtpPayload(packet, packet.length);
    const ssrc = packet.readUInt32BE(8);
    const indices = indicesOf(this.#rtpIndices, ssrc)!;
    const index = indices.estimate(packet.readUInt16BE(2));
    indices.accept(index);
    if (this.#gcm) return sealGcm(this.#rtp, gcmRtpIv(this.#rtp.salt, ssrc, index), packet, body, packet.subarray(0, body), undefined);
    const sealed = createCipheriv("aes-128-ctr", this.#rtp.key, counter(this.#rtp.salt, ssrc, index)).update(packet.subarray(body));
    const head = packet.subarray(0, body);
    return Buffer.concat([head, sealed, this.#rtp.tag(head, sealed, rollover(index))]);
  }

  /** Opens a datagram; undefined when it is not authentic or came before. */
  openRtp(datagram: Buffer): Buffer | undefined {
    const end = datagram.length - this.tagBytes;
    const body = end < RTP_HEADER ? -1 : rtpPayload(datagram, end);
    if (body < 0) return undefined;
    const ssrc = datagram.readUInt32BE(8);
    const known = this.#rtpIndices.get(ssrc);
    const index = known?.estimate(datagram.readUInt16BE(2)) ?? datagram.readUInt16BE(2);
    if (known?.fresh(index) === false) return undefined;
    const head = datagram.subarray(0, body);
    let opened: Buffer | undefined;
    if (this.#gcm)
      opened = openGcm(this.#rtp, gcmRtpIv(this.#rtp.salt, ssrc, index), head, datagram.subarray(body, end), datagram.subarray(end));
    else if (timingSafeEqual(this.#rtp.tag(head, datagram.subarray(body, end), rollover(index)), datagram.subarray(end))) {
      opened = createDecipheriv("aes-128-ctr", this.#rtp.key, counter(this.#rtp.salt, ssrc, index)).update(datagram.subarray(body, end));
    }
    if (opened === undefined) return undefined;
    // Only who holds the key gets a place in the table.
    const indices = known ?? indicesOf(this.#rtpIndices, ssrc);
    if (indices === undefined) return undefined;
    indices.accept(index);
    return Buffer.concat([head, opened]);
  }

  sealRtcp(bytes: Uint8Array, start: number, end: number): Buffer {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const ssrc = packet.readUInt32BE(4);
    const indices = indicesOf(this.#rtcpIndices, ssrc)!;
    const index = (indices.highest + 1) % 0x80000000;
    indices.accept(index);
    const trailer = Buffer.allocUnsafe(INDEX_BYTES);
    trailer.writeUInt32BE((index | ENCRYPTED) >>> 0);
    const head = packet.subarray(0, RTCP_CLEAR);
    if (this.#gcm) {
      return sealGcm(this.#rtcp, gcmRtcpIv(this.#rtcp.salt, ssrc, index), packet, RTCP_CLEAR, Buffer.concat([head, trailer]), trailer);
    }
    const sealed = createCipheriv("aes-128-ctr", this.#rtcp.key, counter(this.#rtcp.salt, ssrc, index)).update(packet.subarray(RTCP_CLEAR));
    return Buffer.concat([head, sealed, trailer, this.#rtcp.tag(head, sealed, trailer)]);
  }

  openRtcp(datagram: Buffer): Buffer | undefined {
    const indexAt = this.#gcm ? datagram.length - INDEX_BYTES : datagram.length - HMAC_TAG - INDEX_BYTES;
    const end = this.#gcm ? indexAt - GCM_TAG : indexAt;
    if (end < RTCP_CLEAR) return undefined;
    const trailer = datagram.subarray(indexAt, indexAt + INDEX_BYTES);
    const word = trailer.readUInt32BE();
    // What is not encrypted nobody sends who uses DTLS-SRTP.
    if (word < ENCRYPTED) return undefined;
    const index = word - ENCRYPTED;
    const ssrc = datagram.readUInt32BE(4);
    const known = this.#rtcpIndices.get(ssrc);
    if (known?.fresh(index) === false) return undefined;
    const head = datagram.subarray(0, RTCP_CLEAR);
    const body = datagram.subarray(RTCP_CLEAR, end);
    let opened: Buffer | undefined;
    if (this.#gcm) {
      const iv = gcmRtcpIv(this.#rtcp.salt, ssrc, index);
      opened = openGcm(this.#rtcp, iv, Buffer.concat([head, trailer]), body, datagram.subarray(end, indexAt));
    } else if (timingSafeEqual(this.#rtcp.tag(head, body, trailer), datagram.subarray(indexAt + INDEX_BYTES))) {
      opened = createDecipheriv("aes-128-ctr", this.#rtcp.key, counter(this.#rtcp.salt, ssrc, index)).update(body);
    }
    const indices = opened === undefined ? undefined : (known ?? indicesOf(this.#rtcpIndices, ssrc));
    if (opened === undefined || indices === undefined) return undefined;
    indices.accept(index);
    return Buffer.concat([head, opened]);
  }
}

interface SessionKeys {
  readonly key: Buffer;
  /** 14 bytes. */
  readonly salt: Buffer;
  tag(a: Uint8Array, b: Uint8Array, c: Uint8Array): Buffer;
}

/** Labels of key, authentication key and salt follow each other (RFC 3711 section 4.3.2). */
function deriveKeys(master: Uint8Array, salt: Uint8Array, label: number): SessionKeys {
  const authentication = derive(master, salt, label + 1, 20);
  return {
    key: derive(master, salt, label, 16),
    salt: derive(master, salt, label + 2, 14),
    tag: (a, b, c) => createHmac("sha1", authentication).update(a).update(b).update(c).digest().subarray(0, HMAC_TAG),
  };
}

/** The pseudo-random function: AES in counter mode over zeros. @internal for the vectors of RFC 3711 B.3 */
export function derive(master: Uint8Array, salt: Uint8Array, label: number, length: Bytes): Buffer {
  const iv = Buffer.alloc(16);
  iv.set(salt);
  iv[7]! ^= label;
  return createCipheriv("aes-128-ctr", master, iv).update(Buffer.alloc(length));
}

function indicesOf(table: Map<number, Indices>, ssrc: number): Indices | undefined {
  let indices = table.get(ssrc);
  if (indices === undefined && table.size < STREAMS_MAX) {
    indices = new Indices();
    table.set(ssrc, indices);
  }
  return indices;
}

/** Where the payload begins; −1 when the header is longer than the packet. */
function rtpPayload(packet: Buffer, end: number): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let at = extensionOffset(view, 0);
  if ((packet[0]! & 0x10) !== 0) {
    if (at + 4 > end) return -1;
    at += 4 + view.getUint16(at + 2) * 4;
  }
  return at <= end ? at : -1;
}

function rollover(index: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(Math.floor(index / 0x10000) >>> 0);
  return bytes;
}

function counter(salt: Buffer, ssrc: number, index: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(ssrc, 4);
  iv.writeUIntBE(index, 8, 6);
  for (let i = 0; i < salt.length; i++) iv[i]! ^= salt[i]!;
  return iv;
}

function gcmRtpIv(salt: Buffer, ssrc: number, index: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(ssrc, 2);
  iv.writeUIntBE(index, 6, 6);
  for (let i = 0; i < iv.length; i++) iv[i]! ^= salt[i]!;
  return iv;
}

function gcmRtcpIv(salt: Buffer, ssrc: number, index: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(ssrc, 2);
  iv.writeUInt32BE(index, 8);
  for (let i = 0; i < iv.length; i++) iv[i]! ^= salt[i]!;
  return iv;
}

function sealGcm(keys: SessionKeys, iv: Buffer, packet: Buffer, body: number, aad: Uint8Array, trailer: Buffer | undefined): Buffer {
  const cipher = createCipheriv("aes-128-gcm", keys.key, iv) as CipherGCM;
  cipher.setAAD(aad);
  const sealed = cipher.update(packet.subarray(body));
  cipher.final();
  const parts = [packet.subarray(0, body), sealed, cipher.getAuthTag()];
  return Buffer.concat(trailer === undefined ? parts : [...parts, trailer]);
}

function openGcm(keys: SessionKeys, iv: Buffer, aad: Uint8Array, body: Uint8Array, tag: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv("aes-128-gcm", keys.key, iv, { authTagLength: GCM_TAG }) as DecipherGCM;
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const opened = decipher.update(body);
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return opened;
}
