/**
 * SRT's handshake, as far as one must understand it to stand before a listener and see who calls:
 *
 *   0                                4          8           12                16
 *   +--------------------------------+----------+-----------+-----------------+
 *   | control 1, type 15, subtype 16 | info 32  | timestamp | to socket id 32 |                                       every control packet
 *   +--------------------------------+----------+-----------+-----------------+
 *   | version 32 | encryption 16, extensions 16 | sequence 32 | MTU 32 | window 32 | kind 32 | socket id 32 | cookie 32 | address 128 |
 *   +------------+------------------------------+-------------+--------+-----------+---------+--------------+-----------+-------------+
 *   | extension type 16, words 16 | … |                                                                                 0 or more
 *
 *   caller ── induction (version 4, cookie 0) ──▶ listener            kind 1
 *   caller ◀─ induction (version 5, magic, cookie) ─ listener
 *   caller ── conclusion (cookie, extensions) ──▶ listener            kind −1
 *   caller ◀─ conclusion, or kind 1000 + reason ── listener
 *
 * Source: draft-sharabayko-srt-01 sections 3.2.1 and 4.3.1; Haivision's srtcore/handshake.h for reasons of refusal.
 */
import type { Bytes } from "../../base/units.ts";

export const HEADER_BYTES: Bytes = 16;
export const HANDSHAKE_BYTES: Bytes = 64;

const CONTROL = 0x8000;
const SHUTDOWN = 0x8005;
const MAGIC = 0x4a17;
const INDUCTION = 1;
const CONCLUSION = -1;
const REFUSALS = 1000;
const EXTENSION_KEY_MATERIAL = 3;
const EXTENSION_STREAM_ID = 5;
/** As the specification limits it. */
const STREAM_ID_BYTES_MAX = 512;

const at = { socket: 12, version: 16, flags: 20, sequence: 24, mtu: 28, window: 32, kind: 36, from: 40, cookie: 44 } as const;

/** Reasons that a caller is told (SRT_REJX_…): 1000 and HTTP's status. */
export const reason = { unauthorized: 1401, overload: 1402, forbidden: 1403, badMode: 1405, conflict: 1409, unavailable: 1503 } as const;

export type Kind = "induction" | "conclusion" | "refusal" | "other";

export class Handshake {
  kind: Kind = "other";
  /** The sender's socket, and the one that is meant; 0 = none yet. */
  from = 0;
  socket = 0;
  cookie = 0;
  sequence = 0;
  mtu = 0;
  window = 0;
  /** What the sender refuses by: 1000 less than on the wire. */
  reason = 0;
  /** It brings a key: the stream is encrypted. */
  encrypted = false;
  streamId = "";

  /** Reads the datagram bytes[start…end). False: it is no handshake, or damaged. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < HANDSHAKE_BYTES) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
    if (view.getUint16(0) !== CONTROL) return false;
    const kind = view.getInt32(at.kind);
    this.kind = kind === INDUCTION ? "induction" : kind === CONCLUSION ? "conclusion" : kind >= REFUSALS ? "refusal" : "other";
    this.reason = kind - REFUSALS;
    this.socket = view.getUint32(at.socket);
    this.from = view.getUint32(at.from);
    this.cookie = view.getUint32(at.cookie);
    this.sequence = view.getUint32(at.sequence);
    this.mtu = view.getUint32(at.mtu);
    this.window = view.getUint32(at.window);
    this.encrypted = false;
    this.streamId = "";
    return this.kind !== "conclusion" || this.#extensions(view);
  }

  #extensions(view: DataView): boolean {
    let position: number = HANDSHAKE_BYTES;
    while (position + 4 <= view.byteLength) {
      const type = view.getUint16(position);
      const length = view.getUint16(position + 2) * 4;
      position += 4;
      if (position + length > view.byteLength) return false;
      if (type === EXTENSION_KEY_MATERIAL) this.encrypted = true;
      else if (type === EXTENSION_STREAM_ID) {
        if (length > STREAM_ID_BYTES_MAX) return false;
        this.streamId = textOf(view, position, length);
      }
      position += length;
    }
    return position === view.byteLength;
  }
}

/** Words of four letters each, the last letter first. */
function textOf(view: DataView, start: number, length: number): string {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = view.getUint8(start + (i & ~3) + 3 - (i & 3));
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** Makes of an induction at bytes[start…) the listener's answer, in place. */
export function answerInduction(bytes: Uint8Array, start: number, cookie: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  view.setUint32(at.socket, view.getUint32(at.from));
  view.setUint32(at.version, 5);
  view.setUint32(at.flags, MAGIC);
  view.setUint32(at.cookie, cookie);
}

/** Makes of a conclusion at bytes[start…) the listener's refusal, in place; answers its end. */
export function answerRefusal(bytes: Uint8Array, start: number, why: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  view.setUint32(at.socket, view.getUint32(at.from));
  view.setInt32(at.kind, REFUSALS + why);
  return start + HANDSHAKE_BYTES;
}

/** The conclusion at bytes[start…) as another listener wants it. */
export function setCookie(bytes: Uint8Array, start: number, cookie: number): void {
  new DataView(bytes.buffer, bytes.byteOffset + start).setUint32(at.cookie, cookie);
}

/** A caller's first datagram, on behalf of one whose conclusion was read; 64 bytes. */
export function induction({ from, sequence, mtu, window }: Pick<Handshake, "from" | "sequence" | "mtu" | "window">): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, CONTROL);
  view.setUint32(at.version, 4);
  // UDT's datagram socket.
  view.setUint32(at.flags, 2);
  view.setUint32(at.sequence, sequence);
  view.setUint32(at.mtu, mtu);
  view.setUint32(at.window, window);
  view.setInt32(at.kind, INDUCTION);
  view.setUint32(at.from, from);
  return bytes;
}

/** Says that the connection is over; 20 bytes. */
export function shutdown(socket: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, SHUTDOWN);
  view.setUint32(at.socket, socket);
  return bytes;
}
