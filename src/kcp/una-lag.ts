/**
 * A `una` that lags behind, so that it can be moved on in small steps while nothing comes. A kcptun looks whether it may send when `una` moves, and by its timer, whose
 * 10 to 40 ms let go more at once than a short queue takes. Segments that `una` does not cover are acknowledged by themselves, so none is resent for it.
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import type { Millis, Seq32 } from "../base/units.ts";

/** Tuning: how far it lags behind; how long it may, with nothing coming; and until when what has come keeps the peer going. */
const LAG = 48;
const LAG_OVER_MS: Millis = 500;
const COMES_MS: Millis = 10;
/** Time between two steps. */
const STEP_MS: Millis = 2;
const STEP_MS_MAX: Millis = 10;

export class UnaLag {
  /** Segments that came in order and were not told of by `una`. */
  lag = 0;
  #una: Seq32;
  #saved = 0;
  #cameAt: Millis = 0;

  constructor(firstSn: Seq32) {
    this.#una = firstSn;
  }

  /** The `una` to tell where `nxt` is the first segment that is missing. */
  next(now: Millis, nxt: Seq32): Seq32 {
    const lag = seqDiff(nxt, this.#una);
    const came = lag > this.lag;
    if (came) this.#cameAt = now;
    if (now >= this.due) this.#una = nxt;
    // While segments come one of three stays behind.
    else if (lag > 0 && !(came && lag <= LAG && ++this.#saved % 3 === 0)) this.#una = seqAdd(this.#una, Math.max(1, lag - LAG));
    this.lag = seqDiff(nxt, this.#una);
    return this.#una;
  }

  /** As it is: nothing lags. */
  whole(nxt: Seq32): Seq32 {
    this.#una = nxt;
    this.lag = 0;
    return nxt;
  }

  /** How far what was told last lies before `nxt`. */
  before(nxt: Seq32): number {
    return seqDiff(nxt, this.#una);
  }

  /** What stayed behind is to be told, though nothing came. */
  get due(): Millis {
    return this.#cameAt + LAG_OVER_MS;
  }

  /** Time between two steps, so that what lags lasts for a round trip. */
  step(rtt: Millis): Millis {
    return Math.max(STEP_MS, Math.min(rtt / Math.max(1, this.lag), STEP_MS_MAX));
  }

  /** `una` moves, by steps or by what comes. */
  moves(now: Millis): boolean {
    return this.lag > 0 || now - this.#cameAt < COMES_MS;
  }
}
