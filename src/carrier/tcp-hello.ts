/**
 * How the two ends of a TCP carrier's connection show each other that they have the same secret, and what keys they have from then on.
 *
 *   client → server   salt (32 random bytes) · sealed( version 1 · session 16 )          one session may have several connections
 *   server → client   salt (32 random bytes) · sealed( version 1 )
 *   then records      length u16 · sealed( datagrams, each behind its length u16 )       none: it is there
 *
 *   secret      PBKDF2-HMAC-SHA256(password, "longhaul tcp carrier", 100,000)
 *   client's    HKDF-SHA256-Expand(secret, "client hello" ‖ client's salt)
 *   server's    HKDF-SHA256-Expand(secret, "server hello" ‖ client's salt ‖ server's salt)
 *   records     HKDF-SHA256-Expand(secret, "client-->server" or "server-->client" ‖ client's salt ‖ server's salt)
 *
 *   sealed = AES-128-GCM ciphertext · tag 16; the nonce counts from 0 and is not sent. No key is used twice, as both salts are in it.
 *
 * A hello that is played again brings its sender nothing: without the secret it cannot make a record for the server's new salt, and before the first record
 * nothing is remembered. To a stranger the server says nothing at all. Source: own; RFC 5869, RFC 5116. There is no forward secrecy: that is TLS's part.
 */
import type { Gcm } from "../cipher/primitives.ts";

export interface TcpPrimitives {
  /** Key of 16 bytes. */
  aesGcm(key: Uint8Array): Gcm;
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  pbkdf2Sha256(password: Uint8Array, salt: Uint8Array, iterations: number, bytes: number): Uint8Array;
  random(into: Uint8Array): void;
}

export const SALT_BYTES = 32;
export const SESSION_BYTES = 16;
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const CLIENT_HELLO_BYTES = SALT_BYTES + 1 + SESSION_BYTES + TAG_BYTES;
export const SERVER_HELLO_BYTES = SALT_BYTES + 1 + TAG_BYTES;

export class TcpHello {
  readonly #secret: Uint8Array;
  readonly #primitives: TcpPrimitives;

  /** Takes milliseconds: one for all connections. */
  constructor(password: string, primitives: TcpPrimitives) {
    this.#primitives = primitives;
    this.#secret = primitives.pbkdf2Sha256(ascii(password), ascii("longhaul tcp carrier"), ITERATIONS, 32);
  }

  /** Client: the message; its first SALT_BYTES are the salt. */
  client(session: Uint8Array): Uint8Array {
    return this.#make("client hello", new Uint8Array(0), Uint8Array.of(VERSION, ...session));
  }

  /** Server: whose session it is; undefined when it is not genuine. */
  readClient(message: Uint8Array): Uint8Array | undefined {
    return this.#read("client hello", new Uint8Array(0), message)?.slice(1);
  }

  /** Server: the answer; its first SALT_BYTES are the salt. */
  server(clientSalt: Uint8Array): Uint8Array {
    return this.#make("server hello", clientSalt, Uint8Array.of(VERSION));
  }

  /** Client: whether the answer is genuine. */
  readServer(message: Uint8Array, clientSalt: Uint8Array): boolean {
    return this.#read("server hello", clientSalt, message) !== undefined;
  }

  /** Seals records of one direction. */
  records(from: "client" | "server", clientSalt: Uint8Array, serverSalt: Uint8Array): Gcm {
    return this.#gcm(from === "client" ? "client-->server" : "server-->client", Uint8Array.of(...clientSalt, ...serverSalt));
  }

  #make(label: string, salts: Uint8Array, plain: Uint8Array): Uint8Array {
    const salt = new Uint8Array(SALT_BYTES);
    this.#primitives.random(salt);
    const room = new Uint8Array(new ArrayBuffer(NONCE_BYTES + plain.length + TAG_BYTES));
    room.set(plain, NONCE_BYTES);
    this.#gcm(label, Uint8Array.of(...salts, ...salt)).seal(room, 0, NONCE_BYTES + plain.length);
    return Uint8Array.of(...salt, ...room.subarray(NONCE_BYTES));
  }

  #read(label: string, salts: Uint8Array, message: Uint8Array): Uint8Array | undefined {
    const salt = message.subarray(0, SALT_BYTES);
    const room = new Uint8Array(new ArrayBuffer(NONCE_BYTES + message.length - SALT_BYTES));
    room.set(message.subarray(SALT_BYTES), NONCE_BYTES);
    if (!this.#gcm(label, Uint8Array.of(...salts, ...salt)).open(room, 0, room.length)) return undefined;
    const plain = room.subarray(NONCE_BYTES, room.length - TAG_BYTES);
    return plain[0] === VERSION ? plain : undefined;
  }

  /** RFC 5869 section 2.3, one block of it. */
  #gcm(label: string, context: Uint8Array): Gcm {
    const key = this.#primitives.hmacSha256(this.#secret, Uint8Array.of(...ascii(label), ...context, 1));
    return this.#primitives.aesGcm(key.slice(0, 16));
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const ITERATIONS = 100_000;
