/**
 * Timed metadata in a fragment: an ID3 tag with one text, in an event message that stands before the moof.
 *
 *   emsg  version 1, timescale 90000, presentation_time on the video's timeline, duration unknown, scheme https://aomedia.org/emsg/ID3
 *     ID3v2.4 ─ TXXX  encoding 3 (UTF-8) · description "" · 0 · text
 *
 * Source: AOM, Carriage of ID3 Timed Metadata in CMAF, section 2; ISO/IEC 23009-1 section 5.10.3.3; ID3v2.4 sections 3.1, 4.2.6.
 */
import { Writer } from "../../base/cursor.ts";
import type { Micros } from "../../base/units.ts";
import { closeBox, openFullBox } from "./box.ts";
import { VIDEO_TIMESCALE } from "./track-id.ts";

const SCHEME = "https://aomedia.org/emsg/ID3";
const DURATION_UNKNOWN = 0xffffffff;
const UTF8 = 3;
const ID3_HEADER_BYTES = 10;

/** `at`: when it is to be shown, decode time of a unit. `id` tells one event from another. The bytes are the caller's. */
export function timedMetadata(text: string, at: Micros, id: number): Uint8Array {
  const tag = id3Text(text);
  const into = new Writer(tag.length + 2 * SCHEME.length + 64);
  const box = openFullBox(into, "emsg", 1, 0);
  into.u32(VIDEO_TIMESCALE).u64(Math.max(0, Math.round((at * VIDEO_TIMESCALE) / 1_000_000)));
  into.u32(DURATION_UNKNOWN).u32(id).ascii(SCHEME).u8(0).u8(0).put(tag);
  closeBox(into, box);
  return into.finish();
}

function id3Text(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const content = 2 + bytes.length;
  const into = new Writer(2 * ID3_HEADER_BYTES + content);
  into
    .ascii("ID3")
    .u8(4)
    .u8(0)
    .u8(0)
    .u32(syncsafe(ID3_HEADER_BYTES + content));
  into.ascii("TXXX").u32(syncsafe(content)).u8(0).u8(0);
  into.u8(UTF8).u8(0).put(bytes);
  return into.finish();
}

/** Seven bits a byte, so that no byte looks like the begin of an MPEG frame. */
function syncsafe(n: number): number {
  return ((n & 0x0fe00000) << 3) | ((n & 0x1fc000) << 2) | ((n & 0x3f80) << 1) | (n & 0x7f);
}
