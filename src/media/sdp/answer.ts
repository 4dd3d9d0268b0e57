/**
 * The answer to an offer: one transport for all, the chosen format of each section, the rest refused.
 *
 *   offer ─▶ negotiate each section ─▶ answer: what both ends will do (Negotiated[]) and its text
 *
 * Source: RFC 8829 section 5.3.1, RFC 9143 section 7.3, RFC 9725 section 4.4 for what WHIP expects.
 *
 * Deviations: only bundles are answered: what an offer does not bundle with its first accepted section is refused.
 */
import { ABS_SEND_TIME_URI } from "../rtp/abs-send-time.ts";
import { MID_URI, RID_URI, RRID_URI } from "../rtp/stream-identification.ts";
import { TRANSPORT_SEQUENCE_NUMBER_URI } from "../rtp/transport-sequence-number.ts";
import { answeredFeedback, type Negotiated, negotiate, type Policy } from "./negotiation.ts";
import { type Attribute, attributes, formatSessionDescription, type MediaSection, type SessionDescription } from "./session-description.ts";
import { answeredEncodings } from "./simulcast.ts";
import type { TransportDescription } from "./transport-description.ts";

/** A stream of ours that is announced: its SSRCs and under which name (CNAME, msid). */
export interface LocalStream {
  readonly ssrc: number;
  /** −1 = no retransmissions. */
  readonly rtxSsrc: number;
  readonly cname: string;
}

/** What is agreed, section by section of the offer; undefined where a section is refused. */
export function agree(offer: SessionDescription, policy: Policy): (Negotiated | undefined)[] {
  const bundled = attributes(offer, "group").find((value) => value.startsWith("BUNDLE "));
  const mids = bundled?.split(" ").slice(1);
  let first: string | undefined;
  return offer.media.map((section) => {
    const negotiated = negotiate(section, policy);
    if (negotiated === undefined) return undefined;
    first ??= negotiated.mid;
    return negotiated.mid === first || mids?.includes(negotiated.mid) === true ? negotiated : undefined;
  });
}

export interface AnswerOptions {
  readonly origin: { readonly id: string; readonly version: number };
  readonly transport: TransportDescription;
  /** What we send in a section of the offer, undefined = nothing. */
  readonly stream?: (negotiated: Negotiated) => LocalStream | undefined;
}

export function formatAnswer(offer: SessionDescription, agreed: readonly (Negotiated | undefined)[], options: AnswerOptions): string {
  const { transport } = options;
  const accepted = agreed.flatMap((negotiated) => (negotiated === undefined ? [] : [negotiated.mid]));
  const session: Attribute[] = [
    ...(transport.lite ? [{ name: "ice-lite", value: "" }] : []),
    { name: "group", value: `BUNDLE ${accepted.join(" ")}` },
    { name: "msid-semantic", value: "WMS *" },
  ];
  const media = offer.media.map((section, i) => {
    const negotiated = agreed[i];
    return negotiated === undefined ? refused(section) : answered(section, negotiated, options);
  });
  return formatSessionDescription({ attributes: session, media }, options.origin);
}

function refused(section: MediaSection): MediaSection {
  const mid = attributes(section, "mid").map((value) => ({ name: "mid", value }));
  return { ...section, port: 0, attributes: [...mid, { name: "inactive", value: "" }] };
}

function answered(section: MediaSection, negotiated: Negotiated, { transport, stream }: AnswerOptions): MediaSection {
  const { format, rtxPayloadType } = negotiated;
  const local = negotiated.direction === "sendonly" ? undefined : stream?.(negotiated);
  const receives = negotiated.direction !== "recvonly";
  const direction = receives ? (local === undefined ? "recvonly" : "sendrecv") : local === undefined ? "inactive" : "sendonly";
  const flag = (name: string): Attribute => ({ name, value: "" });
  const channels = format.channels > 0 ? `/${format.channels}` : "";
  const list: Attribute[] = [
    { name: "ice-ufrag", value: transport.usernameFragment },
    { name: "ice-pwd", value: transport.password },
    ...transport.fingerprints.map(({ algorithm, value }) => ({ name: "fingerprint", value: `${algorithm} ${value}` })),
    { name: "setup", value: transport.setup },
    { name: "mid", value: negotiated.mid },
    ...extensions(negotiated),
    flag(direction),
    flag("rtcp-mux"),
    ...(negotiated.reducedSize ? [flag("rtcp-rsize")] : []),
    { name: "rtpmap", value: `${format.payloadType} ${format.encoding}/${format.clockRate}${channels}` },
    ...answeredFeedback(negotiated).map((value) => ({ name: "rtcp-fb", value: `${format.payloadType} ${value}` })),
    ...(format.parameters === "" ? [] : [{ name: "fmtp", value: `${format.payloadType} ${format.parameters}` }]),
  ];
  if (rtxPayloadType >= 0) {
    list.push({ name: "rtpmap", value: `${rtxPayloadType} rtx/${format.clockRate}` });
    list.push({ name: "fmtp", value: `${rtxPayloadType} apt=${format.payloadType}` });
  }
  if (negotiated.simulcast !== undefined) list.push(...answeredEncodings(negotiated.simulcast));
  if (local !== undefined) list.push(...streamAttributes(negotiated, local));
  list.push(...transport.candidates.map((value) => ({ name: "candidate", value })), flag("end-of-candidates"));
  const formats = [format.payloadType, ...(rtxPayloadType >= 0 ? [rtxPayloadType] : [])].map(String);
  return { kind: section.kind, port: 9, protocol: section.protocol, formats, attributes: list };
}

function extensions({ transportSequenceNumberId, absSendTimeId, midId, simulcast }: Negotiated): Attribute[] {
  const all: readonly (readonly [number, string])[] = [
    [transportSequenceNumberId, TRANSPORT_SEQUENCE_NUMBER_URI],
    [absSendTimeId, ABS_SEND_TIME_URI],
    [midId, MID_URI],
    [simulcast?.ridId ?? -1, RID_URI],
    [simulcast?.rridId ?? -1, RRID_URI],
  ];
  return all.filter(([id]) => id > 0).map(([id, uri]) => ({ name: "extmap", value: `${id} ${uri}` }));
}

function streamAttributes({ kind }: Negotiated, { ssrc, rtxSsrc, cname }: LocalStream): Attribute[] {
  const list: Attribute[] = [{ name: "msid", value: `${cname} ${kind}` }];
  if (rtxSsrc >= 0) list.push({ name: "ssrc-group", value: `FID ${ssrc} ${rtxSsrc}` });
  for (const each of rtxSsrc >= 0 ? [ssrc, rtxSsrc] : [ssrc]) list.push({ name: "ssrc", value: `${each} cname:${cname}` });
  return list;
}
