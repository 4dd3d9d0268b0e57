/** Two kinds of program at the end of a stream, for tests: one that sends and one that takes slowly, both summing what they see. */
import { createHash, type Hash } from "node:crypto";
import { Prng } from "../../base/prng.ts";
import type { TcpHandler, TcpSocket } from "../loop.ts";

const CHUNK = 40_000;

/** Sends `total` pseudo-random bytes and then its end; takes what comes, at most `bitesPerTurn` reads at a time. */
export class Pump implements TcpHandler {
  socket: TcpSocket | undefined;
  sent = 0;
  received = 0;
  /** The peer's end was read. */
  ended = false;
  failure: string | undefined;
  /** Times a write fell short: backpressure was felt. */
  shortWrites = 0;
  reads = 0;
  readonly #total: number;
  readonly #bitesPerTurn: number;
  readonly #prng: Prng;
  readonly #out = new Uint8Array(CHUNK);
  readonly #in = new Uint8Array(10_000);
  readonly #sentHash: Hash = createHash("sha1");
  readonly #receivedHash: Hash = createHash("sha1");
  #at = CHUNK;
  #shut = false;

  constructor(total: number, seed: number, bitesPerTurn = 64) {
    this.#total = total;
    this.#prng = new Prng(seed);
    this.#bitesPerTurn = bitesPerTurn;
  }

  get sentSum(): string {
    return this.#sentHash.copy().digest("hex");
  }

  get receivedSum(): string {
    return this.#receivedHash.copy().digest("hex");
  }

  get done(): boolean {
    return this.ended && this.#shut;
  }

  connected(): void {
    this.#send();
  }

  writable(): void {
    this.#send();
  }

  readable(): void {
    const { socket } = this;
    for (let bites = this.#bitesPerTurn; bites > 0 && socket !== undefined; bites--) {
      const n = socket.read(this.#in, 0, this.#in.length);
      if (n === 0) return;
      if (n < 0) {
        this.ended = true;
        return;
      }
      this.reads++;
      this.received += n;
      this.#receivedHash.update(this.#in.subarray(0, n));
    }
    // Slow on purpose: the rest is taken later, so that buffers fill and the sender has to wait.
    setTimeout(() => this.readable(), 1);
  }

  closed(_now: number, code: string): void {
    this.failure = code;
  }

  #send(): void {
    const { socket } = this;
    while (socket !== undefined && this.sent < this.#total) {
      if (this.#at === CHUNK) {
        const word = this.#prng.u32();
        for (let i = 0; i < CHUNK; i++) this.#out[i] = word + i * 7 + (i >> 8);
        this.#at = 0;
      }
      const end = Math.min(CHUNK, this.#at + this.#total - this.sent);
      const n = socket.write(this.#out, this.#at, end);
      this.#sentHash.update(this.#out.subarray(this.#at, this.#at + n));
      this.sent += n;
      this.#at += n;
      if (this.#at < end) {
        this.shortWrites++;
        return;
      }
    }
    if (this.#shut) return;
    this.#shut = true;
    socket?.shutdown();
  }
}
