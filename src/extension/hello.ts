/**
 * HELLO, by which a client asks whether its server is ours, and ANSWER, by which one that is says so.
 *
 *    0      4     5      6   8    12     16   20       24        25
 *   ┌──────┬─────┬──────┬───┬────┬──────┬────┬────────┬─────────┬────────────┐
 *   │ conv │ 108 │ 1, 2 │ 0 │ 0  │  1   │ 0  │ length │ version │ TLVs …     │      length: of what lies behind offset 24
 *   └──────┴─────┴──────┴───┴────┴──────┴────┴────────┴─────────┴────────────┘
 *   │conv   cmd   frg    wnd  ts   sn    una   len   │  as KCP would read it: a server replaces a session only at sn 0, so sn is 1
 *
 *   tag 1  features   u32, a bit each
 *
 * A version says what every older one says and more, so an end reads a newer one's message as its own version.
 */
import type { Bytes } from "../base/units.ts";
import { writeHeader } from "./header.ts";
import { readTlvs, writeTlv } from "./tlv.ts";

export const HELLO = 1;
export const ANSWER = 2;

export const VERSION = 1;

/** Features: what the sender understands, and what it asks for. */
export const FEATURE_DESCRIPTIONS = 1;
export const FEATURE_FLOWS = 2;
export const FEATURE_REVERSE = 4;
/** Not an ability but a wish: descriptions of streams that were opened before the peer was known (PROXY protocol). */
export const FEATURE_WANTS_DESCRIPTIONS = 8;
/** Understands FEC groups that end early (fec/packet.ts, TYPE_SHORT). */
export const FEATURE_SHORT_GROUPS = 16;
/** Reports on trains (train.ts). */
export const FEATURE_TRAINS = 32;
/** Not an ability but a fact: the sender's KCP does not count ACKs that overtake (mode auto), so it may be told ACKs again. */
export const FEATURE_ACKS_AGAIN = 64;
/** Knows sessions at several addresses (way-message.ts). */
export const FEATURE_WAYS = 128;
/** Answers who measures the way (survey-message.ts). */
export const FEATURE_SURVEYS = 256;
/** Not an ability but a wish: the sender goes by the clock of who receives (clock-stamp.ts). */
export const FEATURE_WANTS_STAMPS = 512;
/** The same: it plans parity by what the receiver has rebuilt (rebuilt-report.ts). */
export const FEATURE_WANTS_REBUILT = 1024;
/** Takes datagrams that come over two ways for one (tunnel/copies.ts). */
export const FEATURE_COPIES = 2048;
/** What an end of mode auto asks for and says of itself. */
export const FEATURES_OF_AUTO = FEATURE_ACKS_AGAIN | FEATURE_WANTS_STAMPS | FEATURE_WANTS_REBUILT;
/** What an end of ours can, however it is configured. */
export const FEATURES_OF_ALL =
  FEATURE_DESCRIPTIONS | FEATURE_FLOWS | FEATURE_REVERSE | FEATURE_SHORT_GROUPS | FEATURE_TRAINS | FEATURE_WAYS | FEATURE_COPIES;

const SN = 12;
const LENGTH = 20;
const BODY = 24;
const TAG_FEATURES = 1;
/** A whole message as we write it. */
export const HELLO_BYTES: Bytes = BODY + 1 + 3 + 4;

export interface Hello {
  readonly version: number;
  readonly features: number;
}

/** Writes the message at bytes[at…), which has room for HELLO_BYTES; answers its length. */
export function writeHello(bytes: Uint8Array, view: DataView, at: number, conv: number, type: number, features: number): Bytes {
  bytes.fill(0, at, at + BODY);
  writeHeader(view, at, conv, type);
  view.setUint32(at + SN, 1, true);
  view.setUint32(at + LENGTH, HELLO_BYTES - BODY, true);
  bytes[at + BODY] = VERSION;
  const value = Uint8Array.of(features, features >>> 8, features >>> 16, features >>> 24);
  return writeTlv(bytes, at + BODY + 1, TAG_FEATURES, value) - at;
}

/** Undefined when the message is damaged. */
export function readHello(bytes: Uint8Array, view: DataView, start: number, end: number): Hello | undefined {
  if (end - start <= BODY || view.getUint32(start + LENGTH, true) !== end - start - BODY) return undefined;
  const version = bytes[start + BODY]!;
  const values = readTlvs(bytes, start + BODY + 1, end);
  const features = values?.get(TAG_FEATURES);
  if (version === 0 || features?.length !== 4) return undefined;
  return { version, features: (features[0]! | (features[1]! << 8) | (features[2]! << 16) | (features[3]! << 24)) >>> 0 };
}
