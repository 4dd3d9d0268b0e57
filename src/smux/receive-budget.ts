/**
 * What the streams of a session may hold of received bytes, shared out so that a stream whose application takes nothing does not stop the others.
 *
 *   held       bytes handed out and not consumed      more than holdBytes: the session is not read any further …
 *   stalled    those of streams that take nothing     … but for these, up to spillBytes beyond
 *   promised   windows told (version 2)               at most holdBytes + spillBytes, as far as WINDOW_BYTES_MIN a stream allows
 *
 * A window told is the least of streamBytes; half of what is free, so that each stream that stops leaves half of the rest to the others (the
 * dynamic threshold of shared-memory switches: Choudhury and Hahne, 1998); and an equal part of all promises among the streams that move.
 * A stream that takes nothing for STALL_TICKS, and an idle one while too much is promised, is told WINDOW_BYTES_MIN: it gets more again as soon
 * as it takes something. Version 1 has no windows: there the spill is all that stands between one blocked stream and the others.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { SmuxStats } from "./stats.ts";
import type { Stream } from "./stream.ts";

// Tuning
export const TICK_MS: Millis = 250;
/** A stream that has consumed nothing of what it holds for so many ticks is stalled. */
const STALL_TICKS = 2;
/** A stream that has consumed nothing for so many ticks does not count among those that move. */
const IDLE_TICKS = 4;
const WINDOW_BYTES_MIN: Bytes = 16_384;

export class ReceiveBudget {
  held: Bytes = 0;
  promised: Bytes = 0;
  readonly #holdBytes: Bytes;
  readonly #spillBytes: Bytes;
  readonly #streamBytes: Bytes;
  readonly #stats: SmuxStats;
  #stalled: Bytes = 0;
  #tick = 0;
  /** When the next look is due: in an array it stays where it is, as a field each would be a new number on the heap. */
  readonly #tickAt = Float64Array.of(NEVER);
  #streams = 0;
  #moving = 0;
  /** Since the last search for the worst. */
  #looked = false;

  constructor(holdBytes: Bytes, spillBytes: Bytes, streamBytes: Bytes, stats: SmuxStats) {
    this.#stats = stats;
    this.#holdBytes = holdBytes;
    this.#spillBytes = spillBytes;
    this.#streamBytes = streamBytes;
  }

  /** Nothing more may be read until something is consumed. */
  get exhausted(): boolean {
    return this.room <= 0;
  }

  /** Bytes that may be read now, whichever stream they are of. */
  get room(): Bytes {
    return this.#holdBytes + Math.min(this.#stalled, this.#spillBytes) - this.held;
  }

  deadline(): Millis {
    return this.#tickAt[0]!;
  }

  /** A stream that the peer believes to have this window. */
  opened(stream: Stream, window: Bytes): void {
    this.#streams++;
    stream.told = window;
    this.promised += window;
    stream.progress = this.#tick;
  }

  closed(stream: Stream): void {
    this.#streams--;
    this.promised -= stream.told;
    stream.told = 0;
  }

  received(stream: Stream, n: Bytes): void {
    if (stream.held === 0) stream.progress = this.#tick;
    stream.held += n;
    this.held += n;
    if (stream.stalled) this.#stalled += n;
  }

  /** `n` bytes of what the stream holds were consumed. */
  consumed(stream: Stream, n: Bytes): void {
    if (stream.stalled) {
      this.#stalled -= stream.held;
      stream.stalled = false;
    }
    if (n > 0) this.#moves(stream);
    stream.held -= n;
    this.held -= n;
  }

  /** The window to tell for this stream now. */
  window(stream: Stream): Bytes {
    if (stream.shrunk) return WINDOW_BYTES_MIN;
    const all = this.#holdBytes + this.#spillBytes;
    const free = Math.max(0, this.#holdBytes - this.held);
    const fair = all / Math.max(1, this.#moving);
    const left = all - this.promised + stream.told;
    const share = Math.min(this.#streams > 1 ? free / 2 : free, fair, Math.max(left, fair / 2));
    return Math.floor(Math.min(this.#streamBytes, Math.max(WINDOW_BYTES_MIN, share)));
  }

  /** The peer is told this window. */
  promise(stream: Stream, window: Bytes): void {
    this.promised += window - stream.told;
    stream.told = window;
  }

  /** Whether a look at all streams is due; sets the clock while there is something to look after. */
  due(now: Millis): boolean {
    const at = this.#tickAt;
    if (at[0] !== NEVER) return now >= at[0]!;
    if (this.held > 0 || this.#overpromised) at[0] = now + TICK_MS;
    return false;
  }

  /** Looks at all streams; `shrink` is told of those whose window becomes the least one. */
  look(now: Millis, streams: ReadonlyMap<number, Stream>, shrink: (stream: Stream) => void): void {
    this.#tick++;
    let moving = 0;
    for (const stream of streams.values()) {
      const idle = this.#tick - stream.progress;
      if (idle < IDLE_TICKS) moving++;
      if (stream.held > 0 && !stream.stalled && idle >= STALL_TICKS) {
        stream.stalled = true;
        this.#stalled += stream.held;
        this.#stats.streamsStalled++;
      }
      const tooMuch = this.#overpromised && idle >= IDLE_TICKS;
      if ((stream.stalled || tooMuch) && !stream.shrunk && stream.told > WINDOW_BYTES_MIN) {
        this.#stats.windowsShrunk++;
        stream.shrunk = true;
        shrink(stream);
      }
    }
    this.#moving = moving;
    this.#tickAt[0] = this.held > 0 || moving > 0 || this.#overpromised ? now + TICK_MS : NEVER;
    this.#looked = true;
  }

  /** The stalled stream that holds most of those that have consumed nothing for `ms`; found anew after each look. */
  worst(streams: ReadonlyMap<number, Stream>, ms: Millis): Stream | undefined {
    if (!this.#looked) return undefined;
    let worst: Stream | undefined;
    for (const stream of streams.values()) {
      const stuck = stream.stalled && (this.#tick - stream.progress) * TICK_MS >= ms;
      if (stuck && (worst === undefined || stream.held > worst.held)) worst = stream;
    }
    this.#looked = worst !== undefined;
    return worst;
  }

  get #overpromised(): boolean {
    return this.promised > this.#holdBytes + this.#spillBytes;
  }

  /** It has consumed something. */
  #moves(stream: Stream): void {
    if (this.#tick - stream.progress >= IDLE_TICKS) this.#moving++;
    stream.progress = this.#tick;
  }
}
