/**
 * The packets inside udp2raw's raw connection, before they are sealed. Numbers are big-endian.
 *
 *   bare        iv(8 random) pad(8 random) 'b' id(4) id(4) id(4)                  29 bytes, the handshake
 *   safer       sender's id(4) receiver's id(4) seq(8) type(1) roller(1) body
 *     'h'         body: zeros, whose number is the sender's choice                heartbeat; ours begins with "LH1" when its sender takes merged packets apart
 *     'd'         body: conversation(4) datagram                                  data; the datagram may be empty
 *
 * Source: reference udp2raw.md section 4. Deviation: the first bytes of a heartbeat's body.
 */

export const BARE_BYTES = 29;
/** Up to the body. */
export const SAFER_HEAD_BYTES = 18;
/** Up to the datagram. */
export const DATA_HEAD_BYTES = SAFER_HEAD_BYTES + 4;
/** The original drops what is longer before it is sealed, and so refuses longer packets. */
export const PLAIN_BYTES_MAX = 1800;

export const HEARTBEAT = 0x68;
export const DATA = 0x64;
const BARE = 0x62;

/** The three numbers of a handshake packet: the sender's id, the other's (0 when not known yet), the constant id of the sender's process. */
export interface Bare {
  sender: number;
  receiver: number;
  constant: number;
  /** aes128gcm: the 16 bytes before; otherwise not read. */
  readonly random?: Uint8Array;
}

/** `random` fills bytes[start…end). Answers the end. */
export function writeBare(bytes: Uint8Array, view: DataView, at: number, bare: Bare, random: Fill): number {
  random(bytes, at, at + 16);
  bytes[at + 16] = BARE;
  view.setUint32(at + 17, bare.sender);
  view.setUint32(at + 21, bare.receiver);
  view.setUint32(at + 25, bare.constant);
  return at + BARE_BYTES;
}

/** False when [at…end) is no handshake packet. */
export function readBare(bytes: Uint8Array, view: DataView, at: number, end: number, into: Bare): boolean {
  if (end - at < BARE_BYTES || bytes[at + 16] !== BARE) return false;
  into.sender = view.getUint32(at + 17);
  into.receiver = view.getUint32(at + 21);
  into.constant = view.getUint32(at + 25);
  return true;
}

export interface Safer {
  sender: number;
  receiver: number;
  /** High and low half of the sequence number. */
  seqHigh: number;
  seqLow: number;
  type: number;
  roller: number;
  /** Data only. */
  conversation: number;
}

/** Writes everything up to the body, or up to the datagram; answers where that begins. */
export function writeSafer(bytes: Uint8Array, view: DataView, at: number, safer: Readonly<Safer>): number {
  view.setUint32(at, safer.sender);
  view.setUint32(at + 4, safer.receiver);
  view.setUint32(at + 8, safer.seqHigh);
  view.setUint32(at + 12, safer.seqLow);
  bytes[at + 16] = safer.type;
  bytes[at + 17] = safer.roller;
  if (safer.type !== DATA) return at + SAFER_HEAD_BYTES;
  view.setUint32(at + SAFER_HEAD_BYTES, safer.conversation);
  return at + DATA_HEAD_BYTES;
}

/** Answers where the body or the datagram begins, −1 when [at…end) is no such packet. */
export function readSafer(bytes: Uint8Array, view: DataView, at: number, end: number, into: Safer): number {
  if (end - at < SAFER_HEAD_BYTES) return -1;
  into.sender = view.getUint32(at);
  into.receiver = view.getUint32(at + 4);
  into.seqHigh = view.getUint32(at + 8);
  into.seqLow = view.getUint32(at + 12);
  into.type = bytes[at + 16]!;
  into.roller = bytes[at + 17]!;
  if (into.type === HEARTBEAT) return at + SAFER_HEAD_BYTES;
  if (into.type !== DATA || end - at < DATA_HEAD_BYTES) return -1;
  into.conversation = view.getUint32(at + SAFER_HEAD_BYTES);
  return at + DATA_HEAD_BYTES;
}

/** What our own ends tell each other in a heartbeat, whose content the original does not read; nothing when it is too short. */
export function writeAbilities(bytes: Uint8Array, at: number, end: number): void {
  if (end - at >= ABILITIES.length) bytes.set(ABILITIES, at);
}

/** Whether the sender takes merged packets apart. */
export function readAbilities(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= ABILITIES.length && ABILITIES.every((byte, i) => bytes[at + i] === byte);
}

const ABILITIES = Uint8Array.from([0x4c, 0x48, 0x31]);

export type Fill = (bytes: Uint8Array, start: number, end: number) => void;
