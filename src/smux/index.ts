/**
 * `longhaul/smux`: many streams in one reliable byte stream, smux versions 1 and 2.
 *
 * ```ts
 * const smux = new SmuxSession({ role: "client", version: 2 });
 * const sid = smux.open(now);                                              // 0 = no more streams
 * for (let n; (n = smux.transmit(now, out, view, 0, out.length)) > 0; ) link.write(out.subarray(0, n));
 * out.set(payload, HEADER_BYTES);                                          // at most smux.allowance(sid) bytes
 * link.write(out.subarray(0, smux.push(sid, out, view, 0, payload.length)));
 *
 * for (let at = 0; at < bytes.length && smux.failure === undefined; ) {
 *   at += smux.receive(now, bytes, at, bytes.length);
 *   if (smux.event === DATA) take(smux.eventSid, bytes.subarray(smux.dataStart, smux.dataEnd));   // borrowed
 * }
 * smux.consumed(now, sid, n);                                              // opens the window again
 * ```
 *
 * `now` in milliseconds. Call `advance` at `deadline()`. A failure is final: a ProtocolError whose `code` is "smux.version", "smux.command",
 * "smux.length", "smux.consumed" or "smux.timeout".
 */
export { ProtocolError } from "../base/errors.ts";
export type { Bytes, Millis } from "../base/units.ts";
export { NEVER } from "../base/units.ts";
export { CMD_FIN, CMD_NOP, CMD_PSH, CMD_SYN, CMD_UPD, HEADER_BYTES } from "./frame.ts";
export * as smux from "./index.ts";
export type { SmuxOptions } from "./options.ts";
export { DATA, DESCRIBED, FAILED, FINISHED, NOTHING, OPENED, type SmuxEvent, SmuxSession } from "./session.ts";
export { type Sniffed, sniff } from "./sniff.ts";
export type { SmuxStats } from "./stats.ts";
