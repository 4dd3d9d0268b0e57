/**
 * Blocking playlist reload: what to do with a request that names the segment, or the part, it wants to see (`_HLS_msn`, `_HLS_part`).
 *
 *   listed or older            answer now
 *   one of the next to come    wait for it
 *   too far ahead, malformed   400
 *
 * Source: RFC 8216bis section 6.2.5.2.
 */
import type { Window } from "./window.ts";

export type Reload =
  | { readonly kind: "now" }
  /** Until the window holds this part, or, with `part` −1, the whole segment. */
  | { readonly kind: "wait"; readonly msn: number; readonly part: number }
  | { readonly kind: "bad"; readonly reason: string };

/** `msn` and `part` as they stand in the query, undefined when absent. */
export function blockingReload(window: Window, msn: string | undefined, part: string | undefined): Reload {
  if (msn === undefined) return part === undefined ? now : { kind: "bad", reason: "_HLS_part needs _HLS_msn" };
  if (!DECIMAL.test(msn) || (part !== undefined && !DECIMAL.test(part))) {
    return { kind: "bad", reason: "_HLS_msn and _HLS_part are decimal integers" };
  }
  const wanted = { kind: "wait" as const, msn: Number(msn), part: part === undefined ? -1 : Number(part) };
  if (holds(window, wanted.msn, wanted.part)) return now;
  if (wanted.msn > window.nextMsn + SEGMENTS_AHEAD_MAX) return { kind: "bad", reason: "_HLS_msn is too far ahead" };
  if (wanted.msn === window.nextMsn && wanted.part >= window.nextPart + partsAheadMax(window)) {
    return { kind: "bad", reason: "_HLS_part is too far ahead" };
  }
  return wanted;
}

/** Whether the window holds the part, or a later one, or with `part` −1 the whole segment. A part past the end of its segment is the next one's first. */
export function holds(window: Window, msn: number, part: number): boolean {
  return msn < window.nextMsn ? part < 0 || beforeEdge(window, msn, part) : msn === window.nextMsn && part >= 0 && part < window.nextPart;
}

/** The segment is complete; a part index beyond its last part asks for the first part of the next segment. */
function beforeEdge(window: Window, msn: number, part: number): boolean {
  const segment = window.segment(msn);
  if (segment === undefined || part < segment.parts.length) return true;
  return msn + 1 < window.nextMsn || window.nextPart > 0;
}

/** The Advance Part Limit: three seconds of parts, or three parts where they are a second or longer. */
function partsAheadMax(window: Window): number {
  const seconds = window.partTarget / 1_000_000;
  return seconds > 0 && seconds < 1 ? Math.ceil(3 / seconds) : 3;
}

const now: Reload = { kind: "now" };
const DECIMAL = /^(0|[1-9]\d{0,14})$/;
/** Beyond the open segment. */
const SEGMENTS_AHEAD_MAX = 1;
