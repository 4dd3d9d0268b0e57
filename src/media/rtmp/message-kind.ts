/**
 * What a decoder loses when a message does not come, from the first two bytes of its payload: classic codec numbers and enhanced RTMP's.
 *
 * Source: Adobe Flash Video File Format 10.1, E.4.2.1 and E.4.3.1; enhanced RTMP v2, ExVideoTagHeader and ExAudioTagHeader.
 */
import { type Message, messageType } from "./message.ts";

/** A picture by itself; a picture that builds on others; sound. 0: all else, which is needed: configurations, metadata, commands. */
export const KEY = 1;
export const PREDICTED = 2;
export const SOUND = 3;
const OTHER = 0;

export function kindOf({ type, payload }: Message): number {
  const first = payload[0] ?? 0;
  if (type === messageType.video) return payload.length < 2 ? OTHER : videoKind(first, payload[1]!);
  if (type === messageType.audio) return payload.length < 2 ? OTHER : audioKind(first, payload[1]!);
  return OTHER;
}

function videoKind(first: number, second: number): number {
  const frameType = (first >> 4) & 7;
  const enhanced = (first & 0x80) !== 0;
  const packet = enhanced ? first & 0x0f : second;
  // Sequence starts and ends, metadata, and MPEG-2 TS's sequence start.
  if (enhanced && packet !== 1 && packet !== 3 && packet !== 6 && packet !== 7) return OTHER;
  if (!enhanced && PACKETED.includes(first & 0x0f) && packet !== 1) return OTHER;
  if (frameType === 1) return KEY;
  return frameType === 2 || frameType === 3 ? PREDICTED : OTHER;
}

function audioKind(first: number, second: number): number {
  const format = first >> 4;
  if (format === ENHANCED_AUDIO) return (first & 0x0f) === 0 ? OTHER : SOUND;
  return format === AAC && second === 0 ? OTHER : SOUND;
}

/** AVC, and HEVC as some encoders number it: the second byte says what the packet is. */
const PACKETED: readonly number[] = [7, 12];
const ENHANCED_AUDIO = 9;
const AAC = 10;
