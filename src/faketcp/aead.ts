/**
 * Cipher mode aes128gcm, between our own ends: every connection has keys of its own, and nothing of a packet stands in the clear.
 *
 *   handshake   nonce 12 (random) ‖ GCM( random 16 · 'b' · ids ) ‖ tag 16               under a key of the password, one for each direction
 *                 client's first: its own random · server's: its own · client's second: the server's again, to show that it is no old one
 *   safer       mask( receiver's id 4 · seq 8 ) ‖ GCM( type · roller · body ) ‖ tag 16   under keys of the connection; id and seq are the nonce
 *
 *   secret      PBKDF2-HMAC-SHA256(password, "longhaul raw aead", 200,000)
 *   keys        HKDF-SHA256-Expand(secret, "handshake client-->server" …; "mask client-->server" …)
 *   connection  HKDF-SHA256-Expand(secret, "client-->server" or "server-->client" ‖ client's random ‖ server's random)
 *   mask        the first 12 bytes of AES(mask key, tag): who does not know it sees no number that counts
 *
 * A nonce is never used twice under one key: those of safer packets count, and their keys are new with every connection, whatever was restarted; those of
 * handshakes are random, and handshakes are few. The sender's id of a safer packet is not sent: only the other end of the connection has the key. What is
 * recorded and played again, of this connection or an older one, is refused. There is no forward secrecy.
 *
 * Source: own; RFC 5116, RFC 5869; the mask follows RFC 9001 section 5.4.
 */

import type { Role } from "./mode.ts";
import { BARE_BYTES, type Bare, readBare, writeBare } from "./packet.ts";
import type { Aead, Blocks, Primitives } from "./primitives.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const RANDOM_BYTES = 16;
/** Of a plain safer packet, what is not sent: the sender's id. */
export const UNSENT_BYTES = 4;
export const AEAD_HANDSHAKE_BYTES = NONCE_BYTES + BARE_BYTES + TAG_BYTES;

/** How long a plain safer packet of `length` bytes becomes. */
export function aeadBytes(length: number): number {
  return length - UNSENT_BYTES + TAG_BYTES;
}

export interface AeadKeys {
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

export function deriveAeadKeys(password: string, primitives: Primitives): AeadKeys {
  return { secret: primitives.pbkdf2Sha256(ascii(password), ascii("longhaul raw aead"), ITERATIONS, 32) };
}

/** What the connections of one end have in common. */
export class AeadEnd {
  readonly secret: Uint8Array;
  readonly primitives: Primitives;
  readonly role: Role;
  readonly handshakeOut: Aead;
  readonly handshakeIn: Aead;
  readonly maskOut: Blocks;
  readonly maskIn: Blocks;

  constructor(role: Role, { secret }: AeadKeys, primitives: Primitives) {
    const [out, into] = role === "client" ? [UP, DOWN] : [DOWN, UP];
    const key = (label: string): Uint8Array => expand(secret, ascii(label), primitives);
    this.secret = secret;
    this.primitives = primitives;
    this.role = role;
    this.handshakeOut = primitives.aesGcm(key(`handshake ${out}`));
    this.handshakeIn = primitives.aesGcm(key(`handshake ${into}`));
    this.maskOut = primitives.aesEcb(key(`mask ${out}`));
    this.maskIn = primitives.aesEcb(key(`mask ${into}`));
  }
}

/** One connection's. */
export class AeadSession {
  readonly #end: AeadEnd;
  readonly #own = new Uint8Array(RANDOM_BYTES);
  readonly #theirs = new Uint8Array(RANDOM_BYTES);
  readonly #mask = new Uint8Array(new ArrayBuffer(16));
  #out: Aead | undefined;
  #in: Aead | undefined;

  constructor(end: AeadEnd) {
    this.#end = end;
  }

  /** A new connection. */
  begin(random: (bytes: Uint8Array, start: number, end: number) => void): void {
    random(this.#own, 0, RANDOM_BYTES);
    this.#theirs.fill(0);
    this.#out = undefined;
    this.#in = undefined;
  }

  /** Writes a packet of the handshake to bytes[at…), AEAD_HANDSHAKE_BYTES; answers its end. */
  sealBare(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    bare: Bare,
    random: (bytes: Uint8Array, start: number, end: number) => void,
  ): number {
    const second = this.#end.role === "client" && bare.receiver !== 0;
    random(bytes, at, at + NONCE_BYTES);
    const plain = at + NONCE_BYTES;
    const end = writeBare(bytes, view, plain, bare, () => bytes.set(second ? this.#theirs : this.#own, plain));
    this.#end.handshakeOut.seal(bytes, at, end);
    return end + TAG_BYTES;
  }

  /** Reads one, in place; false when it is none of ours. */
  openBare(bytes: Uint8Array, view: DataView, start: number, end: number, into: Bare): boolean {
    if (end - start !== AEAD_HANDSHAKE_BYTES || !this.#end.handshakeIn.open(bytes, start, end)) return false;
    const plain = start + NONCE_BYTES;
    if (!readBare(bytes, view, plain, end - TAG_BYTES, into)) return false;
    into.random?.set(bytes.subarray(plain, plain + RANDOM_BYTES));
    return true;
  }

  /** Takes the other end's random from its first packet. A client has all it needs then. */
  meet({ random }: Readonly<Bare>): void {
    if (random !== undefined) this.#theirs.set(random);
    if (this.#end.role === "client") this.agree();
  }

  /** A server: whether the client's second packet answers our own, and no older one. */
  confirms({ random }: Readonly<Bare>): boolean {
    let difference = 0;
    for (let i = 0; i < RANDOM_BYTES; i++) difference |= (random?.[i] ?? 0) ^ this.#own[i]!;
    return difference === 0;
  }

  /** Makes the keys of the connection. */
  agree(): void {
    const { role, secret, primitives } = this.#end;
    const [client, server] = role === "client" ? [this.#own, this.#theirs] : [this.#theirs, this.#own];
    const key = (label: string): Aead =>
      primitives.aesGcm(expand(secret, Uint8Array.of(...ascii(label), ...client, ...server), primitives));
    this.#out = key(role === "client" ? UP : DOWN);
    this.#in = key(role === "client" ? DOWN : UP);
  }

  /** Seals the plain safer packet bytes[at…end) in place; answers the end. What is sent begins UNSENT_BYTES behind `at`. */
  seal(bytes: Uint8Array, at: number, end: number): number {
    const head = at + UNSENT_BYTES;
    this.#out!.seal(bytes, head, end);
    this.#cover(this.#end.maskOut, bytes, head, end);
    return end + TAG_BYTES;
  }

  /** Opens what was sent, bytes[start…end), in place; the plain packet begins UNSENT_BYTES before, but for the sender's id. Answers its end, −1 when it is not genuine. */
  open(bytes: Uint8Array, start: number, end: number): number {
    if (this.#in === undefined || end - start < NONCE_BYTES + TAG_BYTES) return -1;
    this.#cover(this.#end.maskIn, bytes, start, end - TAG_BYTES);
    return this.#in.open(bytes, start, end) ? end - TAG_BYTES : -1;
  }

  #cover(key: Blocks, bytes: Uint8Array, head: number, tag: number): void {
    const mask = this.#mask;
    for (let i = 0; i < TAG_BYTES; i++) mask[i] = bytes[tag + i]!;
    key.encrypt(mask, 0, TAG_BYTES);
    for (let i = 0; i < NONCE_BYTES; i++) bytes[head + i] = bytes[head + i]! ^ mask[i]!;
  }
}

/** RFC 5869 section 2.3, one block of it. */
function expand(secret: Uint8Array, info: Uint8Array, { hmacSha256 }: Primitives): Uint8Array {
  return hmacSha256(secret, Uint8Array.of(...info, 1)).slice(0, 16);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const UP = "client-->server";
const DOWN = "server-->client";
const ITERATIONS = 200_000;
