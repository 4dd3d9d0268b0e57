/**
 * The header extension client-to-mixer audio level.
 *
 *   ┌ V, 1 ┬ level, 7 ┐      V: the packet has speech;  level in −dBov, 0 the loudest, 127 silence
 *
 * Source: RFC 6464.
 */
import type { Bytes } from "../../base/units.ts";

export const AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
export const AUDIO_LEVEL_BYTES: Bytes = 1;
const VOICE = 0x80;

/** Level of the value at `at`, 0…127 −dBov. */
export function readAudioLevel(view: DataView, at: number): number {
  return view.getUint8(at) & ~VOICE;
}

export function readVoiceActivity(view: DataView, at: number): boolean {
  return (view.getUint8(at) & VOICE) !== 0;
}

/** `level` 0…127 −dBov. */
export function writeAudioLevel(view: DataView, at: number, level: number, voice: boolean): void {
  view.setUint8(at, (voice ? VOICE : 0) | (level & ~VOICE));
}
