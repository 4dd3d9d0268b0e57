/**
 * A listener's decisions as a table over a hash, for the kernel to look up: each place leads to one endpoint.
 *
 *   balance.expected ─► places of each endpoint (largest remainder, at least one) ─► 1. each place asks `balance.choose` and gets it while the endpoint has
 *                                                                                      places left   2. the rest take the endpoint nearest to them that has
 *
 * So parts are exact to one place, and when something changes hardly more places move than must. Equal configurations make equal tables, at every edge.
 */
import { mix32 } from "../base/text-hash.ts";
import type { Balance, Target } from "./balance.ts";

/** Places: parts are right within 0.05 %. */
export const CHOICES = 1024;

/** The target of each place; one place where there is one target, none where there is none. */
export function kernelChoices(balance: Balance): Target[] {
  const parts = balance.expected();
  if (parts.size <= 1) return [...parts.keys()];
  const left = placesOf(new Map(Array.from(parts, ([target, { part }]) => [target, part])));
  const table: (Target | undefined)[] = [];
  for (let place = 0; place < CHOICES; place++) {
    const wanted = balance.choose(hashOf(place));
    const has = wanted === undefined ? 0 : (left.get(wanted) ?? 0);
    table.push(has > 0 ? wanted : undefined);
    if (has > 0) left.set(wanted!, has - 1);
  }
  return table.map((target, place) => target ?? nearest(left, place));
}

/** Of CHOICES, in proportion. */
function placesOf(parts: ReadonlyMap<Target, number>): Map<Target, number> {
  const places = new Map<Target, number>();
  let left = CHOICES;
  for (const [target, part] of parts) {
    const whole = Math.max(1, Math.floor(part * CHOICES));
    places.set(target, whole);
    left -= whole;
  }
  const byRemainder = [...parts].sort(([, a], [, b]) => ((b * CHOICES) % 1) - ((a * CHOICES) % 1));
  for (let i = 0; left > 0; i = (i + 1) % byRemainder.length, left--) add(places, byRemainder[i]![0], 1);
  // More than there are, because each has at least one: the greatest give.
  for (; left < 0; left++) add(places, [...places].reduce((most, each) => (each[1] > most[1] ? each : most))[0], -1);
  return places;
}

function nearest(left: Map<Target, number>, place: number): Target {
  let best: Target | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [target, places] of left) {
    const draw = mix32(hashOf(place) ^ target.salt);
    if (places === 0 || draw >= least) continue;
    least = draw;
    best = target;
  }
  add(left, best!, -1);
  return best!;
}

function add(places: Map<Target, number>, target: Target, by: number): void {
  places.set(target, places.get(target)! + by);
}

/** Any, but always the same. */
function hashOf(place: number): number {
  return mix32(place + 0x9e37_79b9);
}
