/** What the columns mean and what the keys do. */
import type { Glyphs } from "./glyphs.ts";
import { type Line, span } from "./line.ts";

export function helpLines({ up, down }: Glyphs): Line[] {
  return [
    [],
    entry("RTT, JIT", "round trip and its deviation, ms"),
    entry("LOSS", "packets lost on the way here, of the last 10 s; only with FEC"),
    entry("RESENT", "segments sent again, of the last 10 s"),
    entry(`${up} ${down} BIT/S`, "payload sent and received by this end, of the last second"),
    entry("W/P", "bytes on the wire for a byte of payload, both ways"),
    entry("FLIGHT", "segments in flight / most that may be"),
    entry("FEC", "share of lost packets that FEC rebuilt"),
    entry("STRM, AGE", "connections carried, and how old the session is"),
    entry("STUCK", "received bytes that the application or target does not take"),
    [],
    entry("up, down, j, k", "select a session; page up, page down, home, end"),
    entry("enter, esc", "its streams, and back"),
    entry("s, r", "another order, and the other way round"),
    entry("p, space", "pause, go on"),
    entry("q, ctrl-c", "quit"),
  ];
}

function entry(name: string, what: string): Line {
  return [span(`  ${name.padEnd(16)}`, "bold"), span(what)];
}
