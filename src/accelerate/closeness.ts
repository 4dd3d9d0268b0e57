/**
 * How far regions are from this edge, by what their endpoints' checks measure: the closest endpoint that answers stands for its region.
 *
 * Two regions change places only when one is clearly closer than the other, or flows would go back and forth with the jitter of a link.
 */
import type { Millis } from "../base/units.ts";

/** Tuning: share of a new measurement in the average. */
const SHARE = 1 / 8;
/** Tuning: as long as nothing was measured for so long, what was still holds for the order, not for what is shown. */
const STALE_MS: Millis = 120_000;
/** Tuning: closer means by so much of the other's distance, and at least by so many milliseconds. */
const MARGIN = 0.1;
const MARGIN_MS: Millis = 1;

interface Place {
  readonly region: string;
  readonly endpoints: Map<string, { average: Millis; at: Millis }>;
}

export class Closeness {
  /** By rank. Regions that were never measured are behind all others, in the order in which they were named. */
  #order: Place[] = [];
  readonly #places = new Map<string, Place>();

  /** From now on these regions; what is known of those that stay is kept. */
  name(regions: Iterable<string>): void {
    const wanted = new Set(regions);
    for (const region of this.#places.keys()) if (!wanted.has(region)) this.#places.delete(region);
    this.#order = this.#order.filter(({ region }) => wanted.has(region));
    for (const region of wanted) {
      if (this.#places.has(region)) continue;
      const place: Place = { region, endpoints: new Map() };
      this.#places.set(region, place);
      this.#order.push(place);
    }
  }

  /** A check of an endpoint was answered. True when the order changed. */
  measured(region: string, endpoint: string, took: Millis, now: Millis): boolean {
    const place = this.#places.get(region);
    if (place === undefined) return false;
    const known = place.endpoints.get(endpoint);
    if (known === undefined) place.endpoints.set(endpoint, { average: took, at: now });
    else {
      known.average += (took - known.average) * SHARE;
      known.at = now;
    }
    for (const [name, { at }] of place.endpoints) if (now - at > STALE_MS && place.endpoints.size > 1) place.endpoints.delete(name);
    return this.#settle();
  }

  /** 0 for the closest. */
  rank(region: string): number {
    const rank = this.#order.findIndex((place) => place.region === region);
    return rank < 0 ? this.#order.length : rank;
  }

  distance(region: string): Millis | undefined {
    const place = this.#places.get(region);
    return place === undefined ? undefined : nearest(place);
  }

  get regions(): readonly string[] {
    return this.#order.map(({ region }) => region);
  }

  #settle(): boolean {
    let changed = false;
    // Bubbles: pairs that do not differ clearly keep their order.
    for (let end = this.#order.length - 1; end > 0; end--)
      for (let i = 0; i < end; i++) {
        if (!closer(this.#order[i + 1]!, this.#order[i]!)) continue;
        [this.#order[i], this.#order[i + 1]] = [this.#order[i + 1]!, this.#order[i]!];
        changed = true;
      }
    return changed;
  }
}

function nearest({ endpoints }: Place): Millis | undefined {
  let least: Millis | undefined;
  for (const { average } of endpoints.values()) if (least === undefined || average < least) least = average;
  return least;
}

function closer(a: Place, b: Place): boolean {
  const [one, other] = [nearest(a), nearest(b)];
  if (one === undefined) return false;
  return other === undefined || one < other - Math.max(MARGIN_MS, other * MARGIN);
}
