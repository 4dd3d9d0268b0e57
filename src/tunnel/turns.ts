/**
 * Whose turn it is to send: streams that want little go before those that want much, each kind in turn.
 *
 *   ready ─▶ light, while it has not sent HEAVY_BYTES within HEAVY_MS ─▶ next
 *        └─▶ heavy ───────────────────────────────────────────────────▶ next, when no light one waits
 *
 * The idea is fq_codel's (RFC 8290 section 3.2): new flows before old ones. As what KCP holds unsent is short with mode auto, a keystroke passes a download.
 */
import { Ring } from "../base/ring.ts";
import type { Bytes, Millis } from "../base/units.ts";
import type { Stream } from "./stream.ts";

/** Tuning. */
const HEAVY_BYTES: Bytes = 16_384;
const HEAVY_MS: Millis = 100;

export class Turns {
  readonly #light: Ring<Stream>;
  readonly #heavy: Ring<Stream>;

  constructor(streamsMax: number) {
    this.#light = new Ring(streamsMax);
    this.#heavy = new Ring(streamsMax);
  }

  get length(): number {
    return this.#light.length + this.#heavy.length;
  }

  /** A stream whose peer takes nothing now, `shut`, waits behind all others. */
  push(now: Millis, stream: Stream, shut = false): void {
    if (now - stream.turnsSince > HEAVY_MS) {
      stream.turnsSince = now;
      stream.turnsBytes = stream.sentBytes;
    }
    (!shut && stream.sentBytes - stream.turnsBytes < HEAVY_BYTES ? this.#light : this.#heavy).push(stream);
  }

  next(): Stream | undefined {
    return this.#light.shift() ?? this.#heavy.shift();
  }

  clear(): void {
    this.#light.clear();
    this.#heavy.clear();
  }
}
