/**
 * FLV files of one picture each, put together as OBS sends multitrack video: the first as it is, with its sound; the pictures of the others in Enhanced RTMP's form, a track a message.
 *
 *   0x80 | frame type | Multitrack · OneTrack | packet type · FourCC · track id · [composition time] · data
 */
import { FlvReader, firstTag, VIDEO } from "../../src/media/flv/tag.ts";

interface Tag {
  readonly type: number;
  readonly timestamp: number;
  readonly track: number;
  readonly payload: Uint8Array;
}

const MULTITRACK = 6;
const AVC1 = [0x61, 0x76, 0x63, 0x31];
/** Classic packet types are the enhanced ones of the same numbers; frames without a composition time have one of their own. */
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;

/** `files`: FLV with H.264, the largest picture first, coded with key frames at the same times. */
export function multitrackFlv(files: readonly Uint8Array[]): Uint8Array {
  const tags = files.flatMap((file, track) => [...tagsOf(file, track)]);
  tags.sort((a, b) => a.timestamp - b.timestamp || a.track - b.track);
  return Buffer.concat([Buffer.from("FLV\x01\x05\0\0\0\x09\0\0\0\0", "latin1"), ...tags.map(written)]);
}

function* tagsOf(file: Uint8Array, track: number): Iterable<Tag> {
  const reader = new FlvReader(file, firstTag(file));
  while (reader.next()) {
    const { type, timestamp } = reader;
    const payload = file.slice(reader.start, reader.end);
    if (track === 0) yield { type, timestamp, track, payload };
    // The muxer's mark at the end has no data.
    else if (type === VIDEO && payload[1] !== 2) yield { type, timestamp, track, payload: enhanced(payload, track) };
  }
}

function enhanced(classic: Uint8Array, track: number): Uint8Array {
  const composed = classic[1] === CODED_FRAMES && classic.subarray(2, 5).some((byte) => byte !== 0);
  const packet = classic[1] === CODED_FRAMES && !composed ? CODED_FRAMES_X : classic[1]!;
  const head = [0x80 | (classic[0]! & 0x70) | MULTITRACK, packet, ...AVC1, track];
  return Buffer.concat([Buffer.from(head), classic.subarray(composed ? 2 : 5)]);
}

function written({ type, timestamp, payload }: Tag): Buffer {
  const tag = Buffer.alloc(11 + payload.length + 4);
  tag[0] = type;
  tag.writeUIntBE(payload.length, 1, 3);
  tag.writeUIntBE(timestamp & 0xffffff, 4, 3);
  tag[7] = timestamp >>> 24;
  tag.set(payload, 11);
  tag.writeUInt32BE(11 + payload.length, 11 + payload.length);
  return tag;
}
