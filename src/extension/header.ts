/**
 * The extension datagram: what two ends of Longhaul say to each other beside KCP. It stands where a KCP packet would, below the cipher; little endian.
 *
 *    0      4     5      6
 *   ┌──────┬─────┬──────┬────────
 *   │ conv │ 108 │ type │ body …
 *   └──────┴─────┴──────┴────────
 *     1 HELLO · 2 ANSWER                          hello.ts         outside FEC
 *     3 CAR · 4 REPORT                            train.ts         outside FEC
 *     5 PROBE · 6 HEARD                           way-message.ts   outside FEC
 *     7 LOAD · 8 ASK · 9 TALLY                      survey-message.ts outside FEC
 *     10 STAMP                                      clock-stamp.ts   outside FEC
 *     11 REBUILT                                    rebuilt-report.ts outside FEC
 *     16 OPEN · 17 DATA · 18 PART · 19 VERDICT · 20 END   flow-message.ts   in FEC packets when FEC is on
 *     others: ignored, so that later versions can say more
 *
 * Why an old peer is not disturbed: 108 is a command KCP does not know. kcp-go's Input checks conv and then the command, and answers −3 before
 * it has changed anything; only its counter KCPInErrors moves. The two bytes are never taken for the type of a FEC packet (f1, f2, f3 00).
 * Before the peer is known to be ours only HELLO is sent, and that in the shape of a whole KCP header.
 *
 * Source: reference/kcptun.md 2.4, 2.5, 5.2, 5.3; `npm run test:channels` shows it with the kcptun of 2021 in both roles.
 */
import type { Bytes } from "../base/units.ts";

export const EXTENSION = 108;
export const EXTENSION_HEADER_BYTES: Bytes = 6;
/** Where the header's fields lie. */
const CONV = 0;
const CMD = 4;
const TYPE = 5;

/** First type of flows; below are those of the session itself. */
export const FLOW_TYPE_LEAST = 16;

/** Does view[start…end), a decrypted packet without its FEC header, belong to an extension? */
export function isExtension(view: DataView, start: number, end: number): boolean {
  return end - start >= EXTENSION_HEADER_BYTES && view.getUint8(start + CMD) === EXTENSION;
}

export function readType(view: DataView, start: number): number {
  return view.getUint8(start + TYPE);
}

export function writeHeader(view: DataView, at: number, conv: number, type: number): void {
  view.setUint32(at + CONV, conv, true);
  view.setUint8(at + CMD, EXTENSION);
  view.setUint8(at + TYPE, type);
}
