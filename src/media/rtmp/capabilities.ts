/**
 * What the answer to `connect` promises. A peer that speaks Enhanced RTMP lists the codecs it may send by FourCC; it is told which of them we
 * carry, so that an encoder chooses H.264, HEVC or AV1, and AAC or Opus, before it publishes. What it sends in spite of that is refused by flv/to-unit.ts.
 *
 * Source: Enhanced RTMP v2 (Veovera), "Enhancing NetConnection connect Command".
 */
import { type Amf0, type Amf0Object, amf0Object, isObject } from "./amf0.ts";
import { statusCode } from "./command.ts";

/** Properties of the server, first argument of the answer. */
export function serverProperties(): Amf0Object {
  return amf0Object({ fmsVer: "FMS/3,0,1,123", capabilities: 31 });
}

/** Information, second argument of the answer. `connect` is the command object of the request. */
export function connectInformation(connect: Amf0): Amf0Object {
  const enhanced: Record<string, Amf0> = {};
  const asked = isObject(connect) ? connect.fields : new Map<string, Amf0>();
  if (asked.has("fourCcList")) enhanced.fourCcList = ["avc1", "hvc1", "av01", "mp4a", "Opus"];
  if (asked.has("videoFourCcInfoMap"))
    enhanced.videoFourCcInfoMap = amf0Object({ avc1: CAN_FORWARD, hvc1: CAN_FORWARD, av01: CAN_FORWARD });
  if (asked.has("audioFourCcInfoMap")) enhanced.audioFourCcInfoMap = amf0Object({ mp4a: CAN_FORWARD, Opus: CAN_FORWARD });
  if (asked.has("capsEx")) enhanced.capsEx = CAPS_MULTITRACK | CAPS_MOD_EX;
  return amf0Object({ level: "status", code: statusCode.connected, description: "Connected.", objectEncoding: 0, ...enhanced });
}

/** Bit of a FourCcInfoMask: frames are passed on, neither decoded nor encoded. */
const CAN_FORWARD = 4;
/** Bits of CapsExMask: no reconnecting, and nanoseconds are read over. Whether a channel takes several tracks is decided when one is published. */
const CAPS_MULTITRACK = 2;
const CAPS_MOD_EX = 4;
