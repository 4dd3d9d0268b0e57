/**
 * What one media playlist says of another of its multivariant playlist, so that a player that changes over asks at once for the newest part there.
 *
 *   #EXT-X-RENDITION-REPORT:URI="../480p/media.m3u8",LAST-MSN=15,LAST-PART=2
 *
 * Source: RFC 8216bis section 4.4.5.4.
 */
import type { Window } from "./window.ts";

/** Another rendition of the same stream. */
export interface AssociatedRendition {
  /** Its media playlist, relative to the one that tells of it. */
  readonly uri: string;
  readonly window: Window;
}

/** Undefined while it has nothing to play. */
export function renditionReport({ uri, window }: AssociatedRendition): string | undefined {
  const last = window.listed.at(-1);
  if (last === undefined || last.parts.length === 0) return undefined;
  return `#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${last.msn},LAST-PART=${last.parts.length - 1}`;
}
