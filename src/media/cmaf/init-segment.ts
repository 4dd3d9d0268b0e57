/**
 * The initialization segment: what every fragment of a rendition has in common (EXT-X-MAP).
 *
 *   ftyp
 *   moov ─ mvhd
 *        ─ trak (one a track) ─ tkhd
 *                             ─ mdia ─ mdhd, hdlr, minf ─ (vmhd | smhd), dinf, stbl ─ stsd, stts, stsc, stsz, stco
 *        ─ mvex ─ trex (one a track)
 *
 * Source: ISO/IEC 14496-12 sections 4.3 and 8; ISO/IEC 23000-19 (CMAF) section 7.3.1; RFC 8216bis section 3.3.
 *
 * Deviation: audio and video travel in one file, so the CMAF track brands (cmfc), which promise a single track, are not claimed.
 */
import { Writer } from "../../base/cursor.ts";
import type { Track } from "../unit.ts";
import { closeBox, openBox, openFullBox } from "./box.ts";
import { writeSampleEntry } from "./sample-entry.ts";
import { timescale, trackId } from "./track-id.ts";

/** Flags of a sample that other samples do not depend on, and of one that is not a point to start at (14496-12 section 8.8.3.1). */
export const SYNC_SAMPLE = 0x02000000;
export const NON_SYNC_SAMPLE = 0x01010000;

/** Writes the init segment of a rendition with these tracks: at most one of video and one of audio. The bytes are the caller's. */
export function initSegment(tracks: readonly Track[]): Uint8Array {
  const into = new Writer(1024);
  const ftyp = openBox(into, "ftyp");
  into.ascii("iso6").u32(0).ascii("iso6").ascii("mp41");
  closeBox(into, ftyp);
  const moov = openBox(into, "moov");
  writeMovieHeader(into);
  for (const track of tracks) writeTrack(into, track);
  const mvex = openBox(into, "mvex");
  for (const track of tracks) writeTrackExtends(into, track);
  closeBox(into, mvex);
  closeBox(into, moov);
  return into.finish();
}

function writeMovieHeader(into: Writer): void {
  const at = openFullBox(into, "mvhd", 0, 0);
  into.u32(0).u32(0).u32(MOVIE_TIMESCALE).u32(0);
  into.u32(0x00010000).u16(0x0100).u16(0).u32(0).u32(0);
  writeUnityMatrix(into);
  for (let i = 0; i < 6; i++) into.u32(0);
  into.u32(NEXT_TRACK_ID);
  closeBox(into, at);
}

function writeTrack(into: Writer, track: Track): void {
  const trak = openBox(into, "trak");
  const tkhd = openFullBox(into, "tkhd", 0, TRACK_ENABLED_IN_MOVIE);
  into.u32(0).u32(0).u32(trackId(track)).u32(0).u32(0).u32(0).u32(0);
  into
    .u16(0)
    .u16(0)
    .u16(track.kind === "audio" ? 0x0100 : 0)
    .u16(0);
  writeUnityMatrix(into);
  into.u32(track.kind === "video" ? track.width * 0x10000 : 0).u32(track.kind === "video" ? track.height * 0x10000 : 0);
  closeBox(into, tkhd);
  const mdia = openBox(into, "mdia");
  const mdhd = openFullBox(into, "mdhd", 0, 0);
  into.u32(0).u32(0).u32(timescale(track)).u32(0).u16(LANGUAGE_UNDETERMINED).u16(0);
  closeBox(into, mdhd);
  const hdlr = openFullBox(into, "hdlr", 0, 0);
  into
    .u32(0)
    .ascii(track.kind === "video" ? "vide" : "soun")
    .u32(0)
    .u32(0)
    .u32(0)
    .u8(0);
  closeBox(into, hdlr);
  const minf = openBox(into, "minf");
  writeMediaHeader(into, track);
  writeDataInformation(into);
  writeSampleTable(into, track);
  closeBox(into, minf);
  closeBox(into, mdia);
  closeBox(into, trak);
}

function writeMediaHeader(into: Writer, track: Track): void {
  const at = track.kind === "video" ? openFullBox(into, "vmhd", 0, 1) : openFullBox(into, "smhd", 0, 0);
  into.u32(0);
  if (track.kind === "video") into.u32(0);
  closeBox(into, at);
}

/** The samples lie in the same file as the movie box. */
function writeDataInformation(into: Writer): void {
  const dinf = openBox(into, "dinf");
  const dref = openFullBox(into, "dref", 0, 0);
  into.u32(1);
  closeBox(into, openFullBox(into, "url ", 0, 1));
  closeBox(into, dref);
  closeBox(into, dinf);
}

/** Only the sample entry; every sample lies in a fragment, so the tables are empty. */
function writeSampleTable(into: Writer, track: Track): void {
  const stbl = openBox(into, "stbl");
  const stsd = openFullBox(into, "stsd", 0, 0);
  into.u32(1);
  writeSampleEntry(into, track);
  closeBox(into, stsd);
  for (const type of ["stts", "stsc"]) {
    const at = openFullBox(into, type, 0, 0);
    into.u32(0);
    closeBox(into, at);
  }
  const stsz = openFullBox(into, "stsz", 0, 0);
  into.u32(0).u32(0);
  closeBox(into, stsz);
  const stco = openFullBox(into, "stco", 0, 0);
  into.u32(0);
  closeBox(into, stco);
  closeBox(into, stbl);
}

/** Defaults that fragments rely on: all audio frames are alike, video frames are not points to start at unless they say so. */
function writeTrackExtends(into: Writer, track: Track): void {
  const at = openFullBox(into, "trex", 0, 0);
  into.u32(trackId(track)).u32(1);
  into
    .u32(track.kind === "audio" ? track.samplesPerUnit : 0)
    .u32(0)
    .u32(track.kind === "audio" ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
  closeBox(into, at);
}

function writeUnityMatrix(into: Writer): void {
  into.u32(0x00010000).u32(0).u32(0).u32(0).u32(0x00010000).u32(0).u32(0).u32(0).u32(0x40000000);
}

const MOVIE_TIMESCALE = 1000;
const NEXT_TRACK_ID = 3;
const TRACK_ENABLED_IN_MOVIE = 3;
/** "und", three letters of five bits (ISO 639-2/T). */
const LANGUAGE_UNDETERMINED = 0x55c4;
