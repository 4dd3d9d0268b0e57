/**
 * What a decoder loses when a message does not come, from the first bytes of its payload: classic codec numbers and enhanced RTMP's.
 *
 * Source: Adobe Flash Video File Format 10.1, E.4.2.1 and E.4.3.1; enhanced RTMP v2, ExVideoTagHeader and ExAudioTagHeader.
 */
import { EnhancedHeader } from "../flv/enhanced-header.ts";
import { type Message, messageType } from "./message.ts";

/** A picture by itself; a picture that builds on others; sound. 0: all else, which is needed: configurations, metadata, commands. */
export const KEY = 1;
export const PREDICTED = 2;
export const SOUND = 3;
const OTHER = 0;

export function kindOf({ type, payload }: Message): number {
  if (payload.length < 2) return OTHER;
  if (type === messageType.video) return videoKind(payload);
  return type === messageType.audio ? audioKind(payload) : OTHER;
}

function videoKind(payload: Uint8Array): number {
  const first = payload[0]!;
  const frameType = (first >> 4) & 7;
  if ((first & ENHANCED_VIDEO) !== 0) {
    header.read(payload, first & 0x0f, MULTITRACK_VIDEO);
    // Sequence starts and ends, metadata, and MPEG-2 TS's sequence start.
    if (header.packetType !== CODED_FRAMES && header.packetType !== CODED_FRAMES_X) return OTHER;
  } else if (PACKETED.includes(first & 0x0f) && payload[1] !== 1) return OTHER;
  if (frameType === 1) return KEY;
  return frameType === 2 || frameType === 3 ? PREDICTED : OTHER;
}

function audioKind(payload: Uint8Array): number {
  const format = payload[0]! >> 4;
  if (format !== ENHANCED_AUDIO) return format === AAC && payload[1] === 0 ? OTHER : SOUND;
  header.read(payload, payload[0]! & 0x0f, MULTITRACK_AUDIO);
  return header.packetType === SEQUENCE_START ? OTHER : SOUND;
}

/** Read anew for each message. */
const header = new EnhancedHeader();
/** AVC, and HEVC as some encoders number it: the second byte says what the packet is. */
const PACKETED: readonly number[] = [7, 12];
const ENHANCED_VIDEO = 0x80;
const MULTITRACK_VIDEO = 6;
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;
const ENHANCED_AUDIO = 9;
const MULTITRACK_AUDIO = 5;
const SEQUENCE_START = 0;
const AAC = 10;
