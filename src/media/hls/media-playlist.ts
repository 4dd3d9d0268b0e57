/**
 * The media playlist of a low-latency live rendition as text.
 *
 *   #EXTM3U
 *   #EXT-X-VERSION:9
 *   #EXT-X-TARGETDURATION:2
 *   #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.606,CAN-SKIP-UNTIL=12
 *   #EXT-X-PART-INF:PART-TARGET=0.202
 *   #EXT-X-MEDIA-SEQUENCE:7                      or, in a delta update, after it #EXT-X-SKIP:SKIPPED-SEGMENTS=4
 *   #EXT-X-MAP:URI="init-0.mp4"
 *   #EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:00.000Z
 *   #EXT-X-PART:DURATION=0.20000,URI="7.0.m4s",INDEPENDENT=YES
 *   #EXTINF:2.00000,
 *   7.m4s
 *   #EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.0.m4s"
 *   #EXT-X-RENDITION-REPORT:URI="r/480p/media.m3u8",LAST-MSN=7,LAST-PART=9
 *
 * Source: RFC 8216bis sections 4.4 and 6.2.5.1. There is no EXT-X-ENDLIST: a channel that is off the air may come back under the same address.
 */
import type { Micros } from "../../base/units.ts";
import { isoDate } from "./iso-date.ts";
import { type AssociatedRendition, renditionReport } from "./rendition-report.ts";
import { initUri, partUri, segmentUri } from "./uri.ts";
import type { Segment, Window } from "./window.ts";

/** Target durations from the end of the playlist before which segments may be skipped (at least 6), and within which parts are listed (3). */
export const SKIP_TARGETS = 6;
export const PART_TARGETS = 3;
/** Complete segments whose parts are listed: with the one being made three, as strict readers of section 4.4.4.9 count. */
const SEGMENTS_WITH_PARTS = 2;
/** Part targets a player keeps away from the end (at least 3). */
export const HOLD_BACK_PARTS = 3;

/**
 * The playlist as it is now; empty when the window has no segment. `skip` asks for a delta update and is honoured where it shortens anything. `others`: what else the
 * multivariant playlist has.
 */
export function mediaPlaylist(window: Window, skip: boolean, others: readonly AssociatedRendition[] = []): string {
  const segments = window.listed;
  if (segments.length === 0) return "";
  const skipped = skip ? skippable(window, segments) : 0;
  const withParts = firstWithParts(window, segments);
  const partTarget = longestPart(window, segments, withParts);
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:9",
    `#EXT-X-TARGETDURATION:${window.targetDuration}`,
    `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${plain(HOLD_BACK_PARTS * partTarget)},CAN-SKIP-UNTIL=${SKIP_TARGETS * window.targetDuration}`,
    `#EXT-X-PART-INF:PART-TARGET=${plain(partTarget)}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]!.msn}`,
  ];
  if (window.discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${window.discontinuitySequence}`);
  if (window.independentSegments) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  for (let i = skipped; i < segments.length; i++) {
    const segment = segments[i]!;
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    if (i === 0 || segment.init !== segments[i - 1]!.init) lines.push(`#EXT-X-MAP:URI="${initUri(segment.init)}"`);
    pushSegment(lines, segment, i >= withParts);
  }
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partUri(window.nextMsn, window.nextPart)}"`);
  for (const other of others) {
    const report = renditionReport(other);
    if (report !== undefined) lines.push(report);
  }
  return `${lines.join("\n")}\n`;
}

function pushSegment(lines: string[], segment: Segment, withParts: boolean): void {
  lines.push(`#EXT-X-PROGRAM-DATE-TIME:${isoDate(segment.date)}`);
  if (withParts) {
    for (let i = 0; i < segment.parts.length; i++) {
      const part = segment.parts[i]!;
      lines.push(
        `#EXT-X-PART:DURATION=${seconds(part.duration)},URI="${partUri(segment.msn, i)}"${part.independent ? ",INDEPENDENT=YES" : ""}`,
      );
    }
  }
  if (segment.complete) lines.push(`#EXTINF:${seconds(segment.duration)},`, segmentUri(segment.msn));
}

/** Segments that lie wholly before the Skip Boundary. */
function skippable(window: Window, segments: readonly Segment[]): number {
  let tail = 0;
  for (let i = segments.length - 1; i >= 0; i--) {
    if (tail >= SKIP_TARGETS * window.targetDuration * 1_000_000) return i + 1;
    tail += segments[i]!.duration;
  }
  return 0;
}

/** Parts older than three target durations are of no use to a player near the end. */
function firstWithParts(window: Window, segments: readonly Segment[]): number {
  let tail = 0;
  let first = segments.length;
  const least = first - SEGMENTS_WITH_PARTS - (segments[first - 1]!.complete ? 0 : 1);
  while (first > Math.max(0, least) && tail < PART_TARGETS * window.targetDuration * 1_000_000) tail += segments[--first]!.duration;
  return first;
}

/** What parts keep to; more where frames were missing and a listed part became longer, because no part may last longer than PART-TARGET. */
function longestPart(window: Window, segments: readonly Segment[], first: number): Micros {
  let longest = window.partTarget;
  for (let i = first; i < segments.length; i++) for (const { duration } of segments[i]!.parts) longest = Math.max(longest, duration);
  return Math.ceil(longest / 1000) * 1000;
}

function seconds(duration: Micros): string {
  return (duration / 1_000_000).toFixed(5);
}

function plain(duration: Micros): string {
  return String(Math.round(duration / 1000) / 1000);
}
