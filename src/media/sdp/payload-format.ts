/**
 * What the payload types of a media section stand for.
 *
 *   a=rtpmap:102 H264/90000
 *   a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
 *   a=rtcp-fb:102 nack pli                           "*" in place of the number: of all
 *   a=rtpmap:103 rtx/90000
 *   a=fmtp:103 apt=102                               103 is the retransmission of 102
 *
 * Source: RFC 8866 sections 6.6 and 6.15, RFC 4585 section 4.2, RFC 4588 section 8.6.
 */
import { attributes, type MediaSection } from "./session-description.ts";

export interface PayloadFormat {
  /** 0…127. */
  readonly payloadType: number;
  /** As written: "H264", "VP8", "opus", "rtx". Compare without case. */
  readonly encoding: string;
  readonly clockRate: number;
  /** 0 when the map does not say. */
  readonly channels: number;
  /** The format parameters as written; "" without. */
  readonly parameters: string;
  /** "nack", "nack pli", "transport-cc", … */
  readonly feedback: readonly string[];
}

/** In the section's order, which is its preference. Types without a map are left out. */
export function payloadFormats(section: MediaSection): PayloadFormat[] {
  const maps = new Map(attributes(section, "rtpmap").flatMap(byPayloadType));
  const parameters = new Map(attributes(section, "fmtp").flatMap(byPayloadType));
  const feedback = attributes(section, "rtcp-fb").map((value) => split(value));
  return section.formats.flatMap((format) => {
    const map = /^([\w.-]+)\/(\d{1,9})(?:\/(\d{1,2}))?$/.exec(maps.get(format) ?? "");
    if (map === null || !/^\d{1,3}$/.test(format) || Number(format) > 127 || Number(map[2]) === 0) return [];
    return [
      {
        payloadType: Number(format),
        encoding: map[1]!,
        clockRate: Number(map[2]),
        channels: Number(map[3] ?? 0),
        parameters: parameters.get(format) ?? "",
        feedback: feedback.filter(([type]) => type === format || type === "*").map(([, what]) => what),
      },
    ];
  });
}

/** One format parameter; undefined when it is not given. */
export function parameter(format: PayloadFormat, name: string): string | undefined {
  for (const pair of format.parameters.split(";")) {
    const [key, value] = split(pair.trim(), "=");
    if (key.toLowerCase() === name) return value;
  }
  return undefined;
}

/** The retransmission format of a payload type, if one was offered. */
export function retransmissionOf(formats: readonly PayloadFormat[], payloadType: number): PayloadFormat | undefined {
  return formats.find((each) => each.encoding.toLowerCase() === "rtx" && parameter(each, "apt") === String(payloadType));
}

function byPayloadType(value: string): [string, string][] {
  const [type, rest] = split(value);
  return rest === "" ? [] : [[type, rest]];
}

function split(text: string, at = " "): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1).trim()];
}
