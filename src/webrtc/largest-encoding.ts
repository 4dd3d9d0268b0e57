/**
 * Which encoding of a simulcast stands for the stream: the largest that comes. Browsers begin with a small one, and leave larger ones out while their path is slow.
 *
 *   own ── silent for SILENT ──▶ the largest that comes              with the first key frame of the new one: `wanted` names whose key frame is waited for
 *   own ── a larger one has come for STEADY ──▶ that one
 *
 * Source: RFC 8853 section 1; the times are tuning. A change costs players a discontinuity, so a larger one has to last.
 */
import type { Micros } from "../base/units.ts";

const SILENT: Micros = 1_000_000;
const STEADY: Micros = 2_000_000;

interface Known {
  pixels: number;
  /** Since when it has come without a pause, and when last. */
  since: Micros;
  last: Micros;
}

export class LargestEncoding {
  /** "" until the first key frame. */
  own = "";
  /** Whose key frame is waited for; "" for nobody's. */
  wanted = "";
  changes = 0;
  readonly #known = new Map<string, Known>();

  /** A picture of `rid` came. True: that one stands for the stream from this picture on, which is a key frame. */
  picture(now: Micros, rid: string, pixels: number, keyframe: boolean): boolean {
    const known = this.#known.get(rid);
    if (known === undefined) this.#known.set(rid, { pixels, since: now, last: now });
    else {
      if (now - known.last > SILENT) known.since = now;
      known.last = now;
      known.pixels = pixels;
    }
    const best = this.own === "" ? rid : this.#best(now);
    this.wanted = best === this.own ? "" : best;
    if (rid !== this.wanted || !keyframe) return false;
    if (this.own !== "") this.changes++;
    this.own = rid;
    this.wanted = "";
    return true;
  }

  #best(now: Micros): string {
    const own = this.#known.get(this.own)!;
    const silent = now - own.last > SILENT;
    let best = this.own;
    let most = silent ? 0 : own.pixels;
    for (const [rid, { pixels, since, last }] of this.#known) {
      if (now - last > SILENT || pixels <= most || (!silent && now - since < STEADY)) continue;
      best = rid;
      most = pixels;
    }
    return best;
  }
}
