/**
 * Several encodings of one source in one media section.
 *
 *   a=rid:h send                             an encoding, told from others by its packets' "rid" header extension
 *   a=rid:m send max-width=640               its restrictions are the offerer's business
 *   a=rid:l send
 *   a=simulcast:send h;m,m2;~l               ";" between encodings, "," between formats of one to choose from, "~" begins paused
 *
 *   answer: a=rid:h recv … · a=simulcast:recv h;m;l
 *
 * Source: RFC 8851 section 4, RFC 8853 section 5.1.
 */
import { type Attribute, attribute, attributes, type MediaSection } from "./session-description.ts";

/** rid-id of RFC 8851 section 10, as long as the one-byte form of a header extension carries. */
const RID = /^[A-Za-z0-9_-]{1,16}$/;

/** Encodings of a section and the header extensions that tell them apart. */
export interface Simulcast {
  /** In the offerer's order; two at least. */
  readonly rids: readonly string[];
  readonly ridId: number;
  /** Of retransmissions; −1 = not used. */
  readonly rridId: number;
}

/** The encodings that are offered to be sent, `most` of them; empty where there are not several. */
export function offeredEncodings(section: MediaSection, most: number): string[] {
  const sent = /^(?:recv \S+ )?send (\S+)/.exec(attribute(section, "simulcast") ?? "")?.[1];
  if (sent === undefined) return [];
  const described = new Set(attributes(section, "rid").flatMap((value) => /^(\S+) send\b/.exec(value)?.[1] ?? []));
  const first = sent.split(";").map((alternatives) => alternatives.split(",")[0]!.replace(/^~/, ""));
  const rids = [...new Set(first)].filter((rid) => RID.test(rid) && described.has(rid)).slice(0, most);
  return rids.length < 2 ? [] : rids;
}

export function answeredEncodings({ rids }: Simulcast): Attribute[] {
  return [...rids.map((rid) => ({ name: "rid", value: `${rid} recv` })), { name: "simulcast", value: `recv ${rids.join(";")}` }];
}
