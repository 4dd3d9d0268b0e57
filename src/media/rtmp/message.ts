/** Messages: what chunks carry. Source: Adobe RTMP 1.0 sections 5.4, 6.2 and 7.1. */
import { Writer } from "../../base/cursor.ts";
import type { Bytes, Millis } from "../../base/units.ts";
import { AUDIO, SCRIPT, VIDEO } from "../flv/tag.ts";

/** Audio, video and data in AMF0 have the numbers they have in FLV files. */
export const messageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: AUDIO,
  video: VIDEO,
  dataAmf3: 15,
  commandAmf3: 17,
  data: SCRIPT,
  command: 20,
  aggregate: 22,
} as const;

export interface Message {
  readonly type: number;
  /** 0…2^32−1 ms. */
  readonly timestamp: Millis;
  readonly streamId: number;
  /** Owned by the message. */
  readonly payload: Uint8Array;
}

/** Events of user control messages. */
export const userControl = { streamBegin: 0, streamEof: 1, pingRequest: 6, pingResponse: 7 } as const;

/** Chunk streams we send on; 2 is fixed by the specification, the rest is custom. */
export const chunkStream = { control: 2, command: 3, audio: 4, video: 6, data: 8 } as const;

/** Kinds of Set Peer Bandwidth. */
export const DYNAMIC_LIMIT = 2;

/** Largest chunk size a message can need: no message is longer. */
export const CHUNK_BYTES_MAX: Bytes = 0xff_ffff;

export function u32Payload(value: number): Uint8Array {
  return new Writer(4).u32(value).finish();
}

export function userControlPayload(event: number, value: number): Uint8Array {
  return new Writer(6).u16(event).u32(value).finish();
}

export function peerBandwidthPayload(windowBytes: Bytes): Uint8Array {
  return new Writer(5).u32(windowBytes).u8(DYNAMIC_LIMIT).finish();
}
