/**
 * What a publisher says about its stream in the data message onMetaData: for display and health, never for decoding.
 *
 *   "@setDataFrame" · "onMetaData" · { width, height, framerate, videodatarate, audiodatarate, encoder, … }
 *
 * Source: Adobe Flash Video File Format 10.1 section E.5.
 */
import { Writer } from "../../base/cursor.ts";
import type { BitsPerSecond } from "../../base/units.ts";
import { Amf0Reader, isObject, numberField, stringField, writeAmf0 } from "./amf0.ts";

/** Undefined fields were not said, or were not finite numbers. */
export interface Metadata {
  /** At most 256 characters. */
  readonly encoder: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framesPerSecond: number | undefined;
  /** Target rates. */
  readonly videoRate: BitsPerSecond | undefined;
  readonly audioRate: BitsPerSecond | undefined;
}

/** Reads the payload of a data message; undefined when it is another one or damaged. Never throws. */
export function parseMetadata(payload: Uint8Array): Metadata | undefined {
  const reader = new Amf0Reader(payload);
  let name = reader.value();
  if (name === SET_DATA_FRAME) name = reader.value();
  const value = reader.value();
  if (name !== ON_METADATA || reader.damaged || !isObject(value)) return undefined;
  const videoKilobits = numberField(value, "videodatarate");
  const audioKilobits = numberField(value, "audiodatarate");
  return {
    encoder: stringField(value, "encoder")?.slice(0, ENCODER_CHARACTERS_MAX),
    width: numberField(value, "width"),
    height: numberField(value, "height"),
    framesPerSecond: numberField(value, "framerate"),
    videoRate: videoKilobits === undefined ? undefined : videoKilobits * 1000,
    audioRate: audioKilobits === undefined ? undefined : audioKilobits * 1000,
  };
}

/** The script data of an FLV tag as publishers send them: told to the server to keep for players that come later. */
export function setDataFrame(script: Uint8Array): Uint8Array {
  const writer = new Writer(script.length + 32);
  writeAmf0(writer, SET_DATA_FRAME);
  return writer.put(script).finish();
}

const SET_DATA_FRAME = "@setDataFrame";
const ON_METADATA = "onMetaData";
const ENCODER_CHARACTERS_MAX = 256;
