/**
 * What both ends of one media section agree on: the formats that are used, extensions, feedback, and the streams of the offerer.
 *
 *   offer's section ─┐
 *                    ├─▶ negotiate ─▶ Negotiated
 *   Policy ──────────┘
 *
 * One format and its retransmission are chosen of a section, so that the peer cannot change to another in the midst of a stream.
 *
 * Source: RFC 3264 section 6, RFC 8829 section 5.3.1, RFC 8285 section 5, RFC 5576; reference gcc.md section I.
 */
import { ABS_SEND_TIME_URI } from "../rtp/abs-send-time.ts";
import { MID_URI, RID_URI, RRID_URI } from "../rtp/stream-identification.ts";
import { TRANSPORT_SEQUENCE_NUMBER_URI } from "../rtp/transport-sequence-number.ts";
import { type PayloadFormat, parameter, payloadFormats, retransmissionOf } from "./payload-format.ts";
import { attribute, attributes, type MediaSection } from "./session-description.ts";
import { offeredEncodings, type Simulcast } from "./simulcast.ts";

/** Feedback on packets that drives congestion control, best first. */
export type CongestionFeedbackKind = "ccfb" | "transport-cc" | "goog-remb" | "none";

export interface Policy {
  /** Encodings taken, best first, by kind: { video: ["H264", "VP8"], audio: ["opus"] }. */
  readonly encodings: Readonly<Record<string, readonly string[]>>;
  /** Kinds of congestion feedback taken; all by default. */
  readonly congestionFeedback?: readonly CongestionFeedbackKind[];
  /** false: no retransmission format is taken. */
  readonly retransmission?: boolean;
  /** Most encodings of one source that are taken; 1 by default: the first alone. */
  readonly encodingsMax?: number;
}

export interface RemoteStream {
  readonly ssrc: number;
  /** SSRC of its retransmissions, −1 when the description does not tell. */
  readonly rtxSsrc: number;
}

export interface Negotiated {
  readonly mid: string;
  readonly kind: string;
  readonly format: PayloadFormat;
  /** Payload type of retransmissions, −1 without. */
  readonly rtxPayloadType: number;
  /** Offered direction, seen from the offerer. */
  readonly direction: "sendonly" | "recvonly" | "sendrecv";
  readonly congestionFeedback: CongestionFeedbackKind;
  readonly nack: boolean;
  readonly pictureLoss: boolean;
  readonly fullIntraRequest: boolean;
  readonly reducedSize: boolean;
  /** IDs of header extensions, −1 = not used. */
  readonly transportSequenceNumberId: number;
  readonly absSendTimeId: number;
  readonly midId: number;
  /** Streams the offerer will send, as far as it names them. */
  readonly streams: readonly RemoteStream[];
  /** Several encodings of the source; undefined for one. */
  readonly simulcast?: Simulcast | undefined;
}

/** Undefined when there is nothing in the section that the policy takes: then it is refused. */
export function negotiate(section: MediaSection, policy: Policy): Negotiated | undefined {
  const direction = offeredDirection(section);
  if (section.port === 0 || direction === undefined || !/^UDP\/TLS\/RTP\/SAVPF?$/.test(section.protocol)) return undefined;
  const formats = payloadFormats(section);
  const format = choose(formats, policy.encodings[section.kind] ?? []);
  const mid = attribute(section, "mid");
  if (format === undefined || mid === undefined || attribute(section, "rtcp-mux") === undefined) return undefined;
  const rtx = policy.retransmission === false ? undefined : retransmissionOf(formats, format.payloadType);
  const has = (what: string): boolean => format.feedback.includes(what);
  const transportSequenceNumberId = extension(section, TRANSPORT_SEQUENCE_NUMBER_URI);
  const absSendTimeId = extension(section, ABS_SEND_TIME_URI);
  const kinds = policy.congestionFeedback ?? ["ccfb", "transport-cc", "goog-remb"];
  const congestionFeedback =
    kinds.find(
      (kind) =>
        (kind === "ccfb" && has("ack ccfb")) ||
        (kind === "transport-cc" && has("transport-cc") && transportSequenceNumberId > 0) ||
        (kind === "goog-remb" && has("goog-remb")),
    ) ?? "none";
  return {
    mid,
    kind: section.kind,
    format,
    rtxPayloadType: rtx?.payloadType ?? -1,
    direction,
    congestionFeedback,
    nack: has("nack"),
    pictureLoss: has("nack pli"),
    fullIntraRequest: has("ccm fir"),
    reducedSize: attribute(section, "rtcp-rsize") !== undefined,
    transportSequenceNumberId: congestionFeedback === "transport-cc" ? transportSequenceNumberId : -1,
    absSendTimeId: congestionFeedback === "goog-remb" ? absSendTimeId : -1,
    midId: extension(section, MID_URI),
    streams: remoteStreams(section),
    simulcast: simulcast(section, policy.encodingsMax ?? 1),
  };
}

/** Feedback that the answer repeats for the chosen format. */
export function answeredFeedback(negotiated: Negotiated): string[] {
  const { congestionFeedback, nack, pictureLoss, fullIntraRequest } = negotiated;
  const congestion = congestionFeedback === "ccfb" ? "ack ccfb" : congestionFeedback;
  return [
    ...(congestion === "none" ? [] : [congestion]),
    ...(fullIntraRequest ? ["ccm fir"] : []),
    ...(nack ? ["nack"] : []),
    ...(pictureLoss ? ["nack pli"] : []),
  ];
}

function offeredDirection(section: MediaSection): Negotiated["direction"] | undefined {
  for (const { name } of section.attributes) {
    if (name === "sendonly" || name === "recvonly" || name === "sendrecv") return name;
    if (name === "inactive") return undefined;
  }
  return "sendrecv";
}

function choose(formats: readonly PayloadFormat[], encodings: readonly string[]): PayloadFormat | undefined {
  for (const encoding of encodings) {
    const wanted = encoding.toLowerCase();
    // Fragments of NAL units need mode 1, and without them a picture must fit a packet.
    const found = formats.find(
      (format) => format.encoding.toLowerCase() === wanted && (wanted !== "h264" || parameter(format, "packetization-mode") === "1"),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Without the extension nobody could tell them apart. */
function simulcast(section: MediaSection, most: number): Simulcast | undefined {
  const rids = offeredEncodings(section, most);
  const ridId = extension(section, RID_URI);
  return rids.length === 0 || ridId < 0 ? undefined : { rids, ridId, rridId: extension(section, RRID_URI) };
}

/** The ID of an extension, −1 when it was not offered or cannot be carried. */
function extension(section: MediaSection, uri: string): number {
  for (const value of attributes(section, "extmap")) {
    const found = /^(\d{1,4})(?:\/\w+)? (\S+)/.exec(value);
    // One-byte headers are what everybody understands.
    if (found?.[2] === uri && Number(found[1]) >= 1 && Number(found[1]) <= 14) return Number(found[1]);
  }
  return -1;
}

function remoteStreams(section: MediaSection): RemoteStream[] {
  const groups = attributes(section, "ssrc-group").flatMap((value) => {
    const [semantics, ...ssrcs] = value.split(/ +/);
    return semantics === "FID" && ssrcs.length === 2 ? [{ ssrc: Number(ssrcs[0]), rtxSsrc: Number(ssrcs[1]) }] : [];
  });
  const single = attributes(section, "ssrc").map((value) => Number(value.split(" ")[0]));
  const grouped = new Set(groups.flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]));
  const streams = [...groups, ...[...new Set(single)].filter((ssrc) => !grouped.has(ssrc)).map((ssrc) => ({ ssrc, rtxSsrc: -1 }))];
  return streams.filter(({ ssrc, rtxSsrc }) => isSsrc(ssrc) && (rtxSsrc === -1 || isSsrc(rtxSsrc)));
}

function isSsrc(ssrc: number): boolean {
  return Number.isInteger(ssrc) && ssrc >= 0 && ssrc <= 0xffffffff;
}
