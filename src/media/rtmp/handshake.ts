/**
 * The handshake before the first chunk.
 *
 *   client                                   server
 *   C0 version 3 (1) · C1 (1536)   ───►
 *                                  ◄───      S0 version 3 (1) · S1 (1536) · S2 = C1 (1536)
 *   C2 = S1 (1536)                 ───►
 *
 *   C1, S1:  time u32 · zero u32 · 1528 bytes of noise        C2, S2:  time u32 · time of reading u32 · the peer's noise
 *
 * Source: Adobe RTMP 1.0 section 5.2.
 *
 * Deviations: S2 and C2 echo the peer's packet whole, the second time field included, as deployed servers do. A C1 with a digest in it (Flash's
 * second kind of handshake) is echoed like any other; clients fall back on the plain kind. The peer's echo is not compared: encoders exist
 * that send something else.
 */
import { assert } from "../../base/assert.ts";
import type { ByteQueue } from "../../base/byte-queue.ts";
import { ProtocolError } from "../../base/errors.ts";

/** Bytes of noise an end needs. */
export const NOISE_BYTES = 1528;

export class Handshake {
  readonly #role: "server" | "client";
  readonly #outbox: ByteQueue;
  readonly #random: Uint8Array;
  /** Version and packet 1 of the peer, while they come in; packet 2 is only counted. */
  #hello: Uint8Array | undefined;
  #filled = 0;
  done = false;
  failure: ProtocolError | undefined;

  /** The outbox must have room for 3073 bytes. A client's C0 and C1 are written at once. */
  constructor(role: "server" | "client", random: Uint8Array, outbox: ByteQueue) {
    assert(random.length === NOISE_BYTES, "the handshake needs 1528 bytes of noise");
    this.#role = role;
    this.#random = random;
    this.#outbox = outbox;
    if (role === "client") this.#sayHello();
  }

  /** Takes bytes[at…end); answers where it stopped, which is before `end` only when it is done or failed. */
  receive(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && !this.done && this.failure === undefined) {
      const hello = this.#filled < HELLO_BYTES;
      const take = Math.min(end - at, (hello ? HELLO_BYTES : HELLO_BYTES + PACKET_BYTES) - this.#filled);
      if (hello) {
        this.#hello ??= new Uint8Array(HELLO_BYTES);
        this.#hello.set(bytes.subarray(at, at + take), this.#filled);
      }
      if (this.#filled === 0) this.#checkVersion(this.#hello![0]!);
      this.#filled += take;
      at += take;
      if (hello && this.#filled === HELLO_BYTES && this.failure === undefined) this.#answer();
      this.done = this.#filled === HELLO_BYTES + PACKET_BYTES;
    }
    return at;
  }

  #checkVersion(version: number): void {
    if (version === VERSION) return;
    this.failure = new ProtocolError("rtmp.handshake.version", `${strangers[version] ?? `version ${version}`} instead of RTMP version 3`);
    this.#hello = undefined;
  }

  #answer(): void {
    if (this.#role === "server") this.#sayHello();
    this.#outbox.push(this.#hello!, 1, HELLO_BYTES);
    this.#hello = undefined;
  }

  #sayHello(): void {
    const start = new Uint8Array(9);
    start[0] = VERSION;
    this.#outbox.push(start, 0, start.length);
    this.#outbox.push(this.#random, 0, NOISE_BYTES);
  }
}

const VERSION = 3;
const PACKET_BYTES = 1536;
const HELLO_BYTES = 1 + PACKET_BYTES;

/** What knocks on the wrong port, by its first byte. */
const strangers: Readonly<Record<number, string>> = {
  6: "encrypted RTMP (RTMPE)",
  22: "TLS (an rtmps:// address on a port without TLS?)",
  71: "HTTP",
  72: "HTTP",
  79: "HTTP",
  80: "HTTP",
};
