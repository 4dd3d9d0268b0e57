/**
 * What a stream or a flow is for: the body of its SYN (smux/frame.ts) or OPEN (flow-message.ts), a list of tagged values (tlv.ts).
 *
 *   tag 1  kind         u8: 1 tcp · 2 udp · 3 reverse: "listen where `target` says; the stream stands for the listener"
 *   tag 2  target       name on the peer's list, UTF-8; absent = its default
 *   tag 3  source       of the application: address 16 bytes (IPv4 mapped) · port u16, little endian
 *   tag 4  destination  that the application asked, likewise
 *   tag 5  verdict      u8, in an answer only: 0 granted, else why not
 *   tag 6  reason       of a refusal, for the peer's log, UTF-8
 *
 * An answer is a description sent back for a stream of the peer's. A tag that is missing or of a wrong size is not known.
 */
import type { Bytes } from "../base/units.ts";
import { readTlvs, writeTlv } from "./tlv.ts";

export const KIND_TCP = 1;
export const KIND_UDP = 2;
export const KIND_REVERSE = 3;

export const GRANTED = 0;
export const REFUSED_TARGET = 1;
export const REFUSED_LIMIT = 2;
export const REFUSED_FEATURE = 3;
export const REFUSED_FAILED = 4;

/** Address and port on the wire. */
export const PLACE_BYTES: Bytes = 18;
/** What fits a SYN and an OPEN. */
export const DESCRIPTION_BYTES_MAX: Bytes = 512;
export const NAME_BYTES_MAX: Bytes = 128;
const REASON_BYTES_MAX: Bytes = 200;

const TAG_KIND = 1;
const TAG_TARGET = 2;
const TAG_SOURCE = 3;
const TAG_DESTINATION = 4;
const TAG_VERDICT = 5;
const TAG_REASON = 6;

export interface Description {
  /** One of KIND; 0 when not told. */
  readonly kind: number;
  /** "" = the default. */
  readonly target: string;
  /** PLACE_BYTES each. */
  readonly source?: Uint8Array | undefined;
  readonly destination?: Uint8Array | undefined;
  /** Of an answer. */
  readonly verdict?: number | undefined;
  readonly reason?: string | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** At most DESCRIPTION_BYTES_MAX bytes: longer names and reasons are cut. */
export function writeDescription(description: Description): Uint8Array {
  const { kind, target, source, destination, verdict, reason } = description;
  const bytes = new Uint8Array(DESCRIPTION_BYTES_MAX);
  let at = 0;
  if (kind !== 0) at = writeTlv(bytes, at, TAG_KIND, Uint8Array.of(kind));
  if (target !== "") at = writeTlv(bytes, at, TAG_TARGET, encoder.encode(target).subarray(0, NAME_BYTES_MAX));
  if (source !== undefined) at = writeTlv(bytes, at, TAG_SOURCE, source);
  if (destination !== undefined) at = writeTlv(bytes, at, TAG_DESTINATION, destination);
  if (verdict !== undefined) at = writeTlv(bytes, at, TAG_VERDICT, Uint8Array.of(verdict));
  if (reason !== undefined) at = writeTlv(bytes, at, TAG_REASON, encoder.encode(reason).subarray(0, REASON_BYTES_MAX));
  return bytes.slice(0, at);
}

/** Undefined when bytes[start…end) is damaged or too long. Nothing of it is kept. */
export function readDescription(bytes: Uint8Array, start: number, end: number): Description | undefined {
  const values = end - start > DESCRIPTION_BYTES_MAX ? undefined : readTlvs(bytes, start, end);
  if (values === undefined) return undefined;
  const name = values.get(TAG_TARGET);
  if (name !== undefined && name.length > NAME_BYTES_MAX) return undefined;
  const place = (tag: number): Uint8Array | undefined => {
    const value = values.get(tag);
    return value?.length === PLACE_BYTES ? value.slice() : undefined;
  };
  const reason = values.get(TAG_REASON);
  return {
    kind: values.get(TAG_KIND)?.[0] ?? 0,
    target: name === undefined ? "" : printable(name),
    source: place(TAG_SOURCE),
    destination: place(TAG_DESTINATION),
    verdict: values.get(TAG_VERDICT)?.[0],
    reason: reason === undefined ? undefined : printable(reason.subarray(0, REASON_BYTES_MAX)),
  };
}

/** A peer's text goes into logs and onto terminals: no control characters. */
function printable(text: Uint8Array): string {
  return decoder.decode(text).replace(/\p{C}/gu, "\ufffd");
}
