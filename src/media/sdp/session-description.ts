/**
 * A session description as a tree of lines: session, media sections, attributes in their order.
 *
 *   v=0
 *   o=- <id> <version> IN IP4 127.0.0.1
 *   s=-
 *   t=0 0
 *   a=group:BUNDLE 0 1                                attributes of the session
 *   m=video 9 UDP/TLS/RTP/SAVPF 96 97                 a media section: kind, port, protocol, formats
 *   c=IN IP4 0.0.0.0
 *   a=mid:0                                           attributes of the section
 *
 * Source: RFC 8866 sections 5 and 9. What WebRTC has no use for (i=, b=, k=, r=, z=) is passed over; c= is written as a placeholder, as ICE
 * says where media goes (RFC 8839 section 4.1).
 */

/** Longest text taken, and most sections and attributes in it. */
const TEXT_LENGTH_MAX = 65_536;
const SECTIONS_MAX = 32;
const ATTRIBUTES_MAX = 2000;

export interface Attribute {
  readonly name: string;
  /** "" for a flag such as a=rtcp-mux. */
  readonly value: string;
}

export interface MediaSection {
  /** "audio", "video", "application". */
  readonly kind: string;
  /** 0 = refused. */
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly attributes: readonly Attribute[];
}

export interface SessionDescription {
  readonly attributes: readonly Attribute[];
  readonly media: readonly MediaSection[];
}

/** Undefined when it is no session description, or passes a limit. Never throws. */
export function parseSessionDescription(text: string): SessionDescription | undefined {
  if (text.length > TEXT_LENGTH_MAX || !/^v=0\r?\n/.test(text)) return undefined;
  const session: Attribute[] = [];
  const media: MediaSection[] = [];
  let attributes = session;
  let count = 0;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("a=")) {
      if (++count > ATTRIBUTES_MAX) return undefined;
      attributes.push(parseAttribute(line.slice(2)));
    } else if (line.startsWith("m=")) {
      attributes = [];
      const section = parseMedia(line, attributes);
      if (section === undefined || media.push(section) > SECTIONS_MAX) return undefined;
    } else if (line !== "" && !/^[a-z]=/.test(line)) return undefined;
  }
  return { attributes: session, media };
}

/** `origin`: a number that stands for this session, and which version of its description this is. */
export function formatSessionDescription(
  description: SessionDescription,
  origin: { readonly id: string; readonly version: number },
): string {
  const lines = [
    "v=0",
    `o=- ${origin.id} ${origin.version} IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    ...description.attributes.map(formatAttribute),
  ];
  for (const { kind, port, protocol, formats, attributes } of description.media) {
    lines.push(`m=${kind} ${port} ${protocol} ${formats.join(" ")}`, "c=IN IP4 0.0.0.0", ...attributes.map(formatAttribute));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** The first attribute of that name: its value, "" for a flag, undefined when there is none. */
export function attribute(from: { readonly attributes: readonly Attribute[] }, name: string): string | undefined {
  return from.attributes.find((each) => each.name === name)?.value;
}

/** The values of all attributes of that name. */
export function attributes(from: { readonly attributes: readonly Attribute[] }, name: string): string[] {
  return from.attributes.filter((each) => each.name === name).map(({ value }) => value);
}

function parseAttribute(text: string): Attribute {
  const colon = text.indexOf(":");
  return colon < 0 ? { name: text, value: "" } : { name: text.slice(0, colon), value: text.slice(colon + 1).trim() };
}

function formatAttribute({ name, value }: Attribute): string {
  return value === "" ? `a=${name}` : `a=${name}:${value}`;
}

function parseMedia(line: string, into: Attribute[]): MediaSection | undefined {
  const found = /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+) (\S.*)$/.exec(line);
  if (found === null) return undefined;
  return { kind: found[1]!, port: Number(found[2]), protocol: found[3]!, formats: found[4]!.trim().split(/ +/), attributes: into };
}
