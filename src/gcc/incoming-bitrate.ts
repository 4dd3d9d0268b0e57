/**
 * The rate at which bytes came in over the last second, in buckets of a millisecond.
 *
 *   rate = bytes in the window / window       the window grows from the first packet up to 1 s
 *
 * Source: reference/gcc.md C3; libwebrtc f3ae3eb6 rtc_base/bitrate_tracker. Deviations: none.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const WINDOW = 1000;

export class IncomingBitrate {
  /** Bytes and packets by millisecond, modulo the window. */
  readonly #bytes = new Int32Array(WINDOW);
  readonly #packets = new Int32Array(WINDOW);
  #sum: Bytes = 0;
  #count = 0;
  /** Millisecond of the first packet and of the newest bucket; NaN before any. */
  #first = Number.NaN;
  #newest = Number.NaN;
  /** It was known when a packet was last tracked. */
  #wasKnown = false;

  /** As `add`, and begins anew after a pause, which must not count as time in which nothing could come. */
  track(bytes: Bytes, now: Micros): void {
    const known = this.known(now);
    if (!known && this.#wasKnown) this.reset();
    this.#wasKnown = known;
    this.add(bytes, now);
  }

  add(bytes: Bytes, now: Micros): void {
    const at = Math.round(now / 1000);
    if (Number.isNaN(this.#first)) {
      this.#first = at;
      this.#newest = at;
    }
    // A clock that was set back: such packets belong to no window.
    if (at < this.#newest - WINDOW) return;
    this.#slide(at);
    const i = index(Math.max(at, this.#newest - WINDOW + 1));
    this.#bytes[i]! += bytes;
    this.#packets[i]! += 1;
    this.#sum += bytes;
    this.#count++;
  }

  /** There is enough to go by. */
  known(now: Micros): boolean {
    if (Number.isNaN(this.#first)) return false;
    this.#slide(Math.round(now / 1000));
    const window = this.#window;
    return this.#count > 0 && window > 1 && (this.#count > 1 || window === WINDOW);
  }

  /** Undefined while it is not known. */
  rate(now: Micros): BitsPerSecond | undefined {
    return this.known(now) ? Math.floor((this.#sum * 8000) / this.#window + 0.5) : undefined;
  }

  reset(): void {
    this.#bytes.fill(0);
    this.#packets.fill(0);
    this.#sum = 0;
    this.#count = 0;
    this.#first = Number.NaN;
    this.#newest = Number.NaN;
  }

  get #window(): number {
    return Math.min(this.#newest - this.#first + 1, WINDOW);
  }

  #slide(to: number): void {
    if (to <= this.#newest) return;
    if (to - this.#newest >= WINDOW) {
      this.#bytes.fill(0);
      this.#packets.fill(0);
      this.#sum = 0;
      this.#count = 0;
    } else {
      for (let at = this.#newest + 1; at <= to; at++) {
        const i = index(at);
        this.#sum -= this.#bytes[i]!;
        this.#count -= this.#packets[i]!;
        this.#bytes[i] = 0;
        this.#packets[i] = 0;
      }
    }
    this.#newest = to;
  }
}

/** Bucket of a millisecond, which may be negative. */
function index(at: number): number {
  return ((at % WINDOW) + WINDOW) % WINDOW;
}
