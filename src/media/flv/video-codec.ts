/** What the codecs we carry have in common for whoever takes them out of FLV: a configuration, pictures, where a decoder can start. */
import { parseCodecConfiguration } from "../av1/codec-configuration.ts";
import { HAS_FRAME, HAS_SEQUENCE_HEADER, inspectTemporalUnit, withoutDelimiter } from "../av1/temporal-unit.ts";
import { HAS_SLICE, inspectAccessUnit as inspectH264 } from "../h264/access-unit.ts";
import { parseDecoderConfiguration as parseH264 } from "../h264/decoder-configuration.ts";
import { inspectAccessUnit as inspectH265 } from "../h265/access-unit.ts";
import { parseDecoderConfiguration as parseH265 } from "../h265/decoder-configuration.ts";
import { HAS_START } from "../nal/access-unit.ts";
import { widenLengths } from "../nal/length.ts";
import type { VideoTrack } from "../unit.ts";
import { CODEC_AVC, CODEC_HEVC, FOURCC_AV1, FOURCC_AVC, FOURCC_HEVC } from "./codec.ts";

export interface VideoConfiguration {
  readonly track: VideoTrack;
  /** Bytes of the length before each NAL unit; 0 where pictures are not made of NAL units. */
  readonly lengthBytes: number;
}

export interface VideoCodec {
  /** Its messages tell the composition time. */
  readonly composed: boolean;
  /** Undefined when it is damaged. */
  configure(record: Uint8Array): VideoConfiguration | undefined;
  /** HAS_SLICE, HAS_START; 0 for damage. */
  inspect(payload: Uint8Array, start: number, lengthBytes: number): number;
  /** The picture as containers hold it; may be a view of the payload. */
  picture(payload: Uint8Array, start: number, lengthBytes: number): Uint8Array;
}

type Parse = typeof parseH264 | typeof parseH265;

function ofNalUnits(parse: Parse, inspect: VideoCodec["inspect"]): VideoCodec {
  return {
    composed: true,
    configure(record) {
      const found = parse(record);
      if (found === undefined) return undefined;
      const { codec, lengthBytes, record: configuration } = found;
      const { width, height, framesPerSecond } = found.sequence;
      return { track: { kind: "video", codec, width, height, framesPerSecond, configuration }, lengthBytes };
    },
    inspect,
    picture: (payload, start, lengthBytes) => (lengthBytes === 4 ? payload.subarray(start) : widenLengths(payload, start, lengthBytes)),
  };
}

const av1: VideoCodec = {
  composed: false,
  configure(record) {
    const found = parseCodecConfiguration(record);
    if (found === undefined) return undefined;
    const { codec, sequence } = found;
    return { track: { kind: "video", codec, ...sequence, configuration: record.slice() }, lengthBytes: 0 };
  },
  inspect(payload, start) {
    const found = inspectTemporalUnit(payload, start);
    return ((found & HAS_FRAME) === 0 ? 0 : HAS_SLICE) | ((found & HAS_SEQUENCE_HEADER) === 0 ? 0 : HAS_START);
  },
  picture: withoutDelimiter,
};

const h264 = ofNalUnits(parseH264, inspectH264);
const h265 = ofNalUnits(parseH265, inspectH265);

/** By CodecID or FourCC; undefined: not carried. */
export function videoCodec(codec: number): VideoCodec | undefined {
  switch (codec) {
    case CODEC_AVC:
    case FOURCC_AVC:
      return h264;
    case CODEC_HEVC:
    case FOURCC_HEVC:
      return h265;
    case FOURCC_AV1:
      return av1;
    default:
      return undefined;
  }
}
