/**
 * The header extension coordination of video orientation (CVO): how the receiver turns the picture to show it upright.
 *
 *   ┌ 0 0 0 0 ┬ C ┬ F ┬ R1 R0 ┐      C: camera at the back;  F: mirrored;  R: to be turned clockwise by R · 90°
 *
 * Source: 3GPP TS 26.114 section 7.4.5. Sent with the last packet of a keyframe, and of a picture at which it changes.
 */
import type { Bytes } from "../../base/units.ts";

export const VIDEO_ORIENTATION_URI = "urn:3gpp:video-orientation";
export const VIDEO_ORIENTATION_BYTES: Bytes = 1;
const FLIP = 0x04;
const BACK_CAMERA = 0x08;

export type Rotation = 0 | 90 | 180 | 270;

/** Clockwise degrees of the value at `at`. */
export function readRotation(view: DataView, at: number): Rotation {
  return ((view.getUint8(at) & 3) * 90) as Rotation;
}

export function readFlip(view: DataView, at: number): boolean {
  return (view.getUint8(at) & FLIP) !== 0;
}

export function readBackCamera(view: DataView, at: number): boolean {
  return (view.getUint8(at) & BACK_CAMERA) !== 0;
}

export function writeVideoOrientation(view: DataView, at: number, rotation: Rotation, flip: boolean, backCamera: boolean): void {
  view.setUint8(at, (backCamera ? BACK_CAMERA : 0) | (flip ? FLIP : 0) | (rotation / 90));
}
