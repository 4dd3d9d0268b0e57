/** The limits of one forward: of all sources together, and of each source address. */

import { TokenBucket } from "../../base/token-bucket.ts";
import type { Millis } from "../../base/units.ts";
import type { Limits } from "../forward.ts";

/** Sources that are known at once; further ones are beyond the limit. */
const SOURCES_MAX = 65_536;
/** A burst of bytes lets the longest datagram through. */
const BURST_BYTES_LEAST = 65_536;

class Buckets {
  readonly packets: TokenBucket | undefined;
  readonly bytes: TokenBucket | undefined;

  constructor(packets: number, bytes: number, now: Millis) {
    this.packets = packets > 0 ? new TokenBucket(packets, packets, now) : undefined;
    this.bytes = bytes > 0 ? new TokenBucket(bytes, Math.max(bytes, BURST_BYTES_LEAST), now) : undefined;
  }

  take(bytes: number, now: Millis): boolean {
    return (this.packets === undefined || this.packets.take(1, now)) && (this.bytes === undefined || this.bytes.take(bytes, now));
  }

  idle(now: Millis): boolean {
    return (this.packets?.idle(now) ?? true) && (this.bytes?.idle(now) ?? true);
  }
}

export class Limiter {
  readonly #limits: Limits;
  readonly #all: Buckets;
  readonly #sources = new Map<string, Buckets>();
  readonly #bySource: boolean;

  constructor(limits: Limits, now: Millis) {
    this.#limits = limits;
    this.#all = new Buckets(limits.packets, limits.bytes, now);
    this.#bySource = limits.sourcePackets > 0 || limits.sourceBytes > 0;
  }

  /** Undefined: no limit at all. */
  static of(limits: Limits, now: Millis): Limiter | undefined {
    return limits.packets + limits.bytes + limits.sourcePackets + limits.sourceBytes > 0 ? new Limiter(limits, now) : undefined;
  }

  get sources(): number {
    return this.#sources.size;
  }

  /** Whether a packet of so many bytes may pass. */
  pass(source: string, bytes: number, now: Millis): boolean {
    if (!this.#all.take(bytes, now)) return false;
    if (!this.#bySource) return true;
    let buckets = this.#sources.get(source);
    if (buckets === undefined) {
      if (this.#sources.size >= SOURCES_MAX) return false;
      buckets = new Buckets(this.#limits.sourcePackets, this.#limits.sourceBytes, now);
      this.#sources.set(source, buckets);
    }
    return buckets.take(bytes, now);
  }

  /** Forgets sources that have used nothing for a while. */
  sweep(now: Millis): void {
    for (const [source, buckets] of this.#sources) if (buckets.idle(now)) this.#sources.delete(source);
  }
}
