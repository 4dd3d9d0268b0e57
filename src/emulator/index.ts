/**
 * `longhaul/emulator`: a link with delay, loss, bursts, rate, queue and policing, in the caller's time: the same seed gives the same run.
 *
 * ```ts
 * const link = new EmulatedLink(parseLink("delay=100 loss=1% rate=20mbit qbytes=512k"), 42);
 * link.receive(now, datagram, 0, datagram.length);                        // copied; false = dropped, see `counters`
 * for (let n; (n = link.transmit(now, into, 0)) > 0; ) deliver(into.subarray(0, n));
 * now = link.deadline();                                                  // when the next one arrives; NEVER when none is under way
 * ```
 *
 * One direction each; `now` in milliseconds. `TcpStream` is a kernel's TCP (CUBIC, SACK) over two such links, to compare with.
 * The words of `parseLink` are netlab's: delay jitter loss ge rate qbytes udprate dup down … (parse.ts).
 */
export type { BitsPerSecond, Bytes, Millis } from "../base/units.ts";
export { NEVER } from "../base/units.ts";
export * as emulator from "./index.ts";
export { EmulatedLink, type LinkCounters, type LinkOptions } from "./link.ts";
export { type BurstLoss, IDEAL, type LinkParameters } from "./parameters.ts";
export { type LinkTrace, parseLink, parseTrace, type TraceEvent } from "./parse.ts";
export { TcpStream, type TcpStreamOptions } from "./tcp-stream.ts";
