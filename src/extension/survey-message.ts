/**
 * What two ends say to each other to measure the way between them.
 *
 *    0        6        7     11      15
 *   ┌────────┬────────┬─────┬───────┬─────────┐
 *   │ header │ series │ n   │ µs    │ zeros … │   LOAD, in either direction; µs: the sender's clock when it left, modulo 2³²
 *   └────────┴────────┴─────┴───────┴─────────┘
 *   ┌────────┬────┬────────┬──────┬─────────┬─────────┬─────────┬─────────┐
 *   │ header │ n  │ series │ size │ packets │ over ms │ after s │ zeros … │   ASK: a TALLY of the series that went to the asked one, and so many LOADs
 *   └────────┴────┴────────┴──────┴─────────┴─────────┴─────────┴─────────┘   of that series and size back, over so long, after so long. As long as a TALLY
 *    0        6    10       11     13        15        17        19
 *   ┌────────┬────┬────────┬──────────┬─────────┬──────┬──────┬───────────┬──────────┬─────────┐
 *   │ header │ n  │ series │ received │ highest │ runs │ late │ jitter µs │ queue µs │ span µs │   TALLY
 *   └────────┴────┴────────┴──────────┴─────────┴──────┴──────┴───────────┴──────────┴─────────┘
 *    0        6    10       11         15        19     23     27          31         35        39
 */
import type { Bytes, Millis } from "../base/units.ts";
import { EXTENSION_HEADER_BYTES, writeHeader } from "./header.ts";
import type { Counted } from "./tally.ts";

export const LOAD = 7;
export const ASK = 8;
export const TALLY = 9;

const BODY = EXTENSION_HEADER_BYTES;
export const LOAD_BYTES_MIN: Bytes = BODY + 9;
export const TALLY_BYTES: Bytes = BODY + 33;
/** A question is no shorter than its answer, so that nobody is told more than he said. */
export const ASK_BYTES: Bytes = TALLY_BYTES;

export interface Load {
  readonly series: number;
  readonly n: number;
  readonly micros: number;
}

export interface Ask {
  readonly n: number;
  readonly series: number;
  /** Bytes of a LOAD that is wanted, how many, over how long, in how many seconds. */
  readonly size: Bytes;
  readonly packets: number;
  readonly overMs: Millis;
  readonly afterSeconds: number;
}

/** Writes a LOAD of `size` bytes, LOAD_BYTES_MIN at least. */
export function writeLoad(bytes: Uint8Array, view: DataView, at: number, conv: number, { series, n, micros }: Load, size: Bytes): Bytes {
  bytes.fill(0, at, at + size);
  writeHeader(view, at, conv, LOAD);
  view.setUint8(at + BODY, series);
  view.setUint32(at + BODY + 1, n, true);
  view.setUint32(at + BODY + 5, micros, true);
  return size;
}

export function readLoad(view: DataView, start: number, end: number): Load | undefined {
  if (end - start < LOAD_BYTES_MIN) return undefined;
  return {
    series: view.getUint8(start + BODY),
    n: view.getUint32(start + BODY + 1, true),
    micros: view.getUint32(start + BODY + 5, true),
  };
}

export function writeAsk(bytes: Uint8Array, view: DataView, at: number, conv: number, ask: Ask): Bytes {
  bytes.fill(0, at, at + ASK_BYTES);
  writeHeader(view, at, conv, ASK);
  view.setUint32(at + BODY, ask.n, true);
  view.setUint8(at + BODY + 4, ask.series);
  view.setUint16(at + BODY + 5, ask.size, true);
  view.setUint16(at + BODY + 7, ask.packets, true);
  view.setUint16(at + BODY + 9, ask.overMs, true);
  view.setUint16(at + BODY + 11, ask.afterSeconds, true);
  return ASK_BYTES;
}

export function readAsk(view: DataView, start: number, end: number): Ask | undefined {
  if (end - start < ASK_BYTES) return undefined;
  return {
    n: view.getUint32(start + BODY, true),
    series: view.getUint8(start + BODY + 4),
    size: view.getUint16(start + BODY + 5, true),
    packets: view.getUint16(start + BODY + 7, true),
    overMs: view.getUint16(start + BODY + 9, true),
    afterSeconds: view.getUint16(start + BODY + 11, true),
  };
}

export function writeTally(view: DataView, at: number, conv: number, n: number, series: number, counted: Counted): Bytes {
  writeHeader(view, at, conv, TALLY);
  view.setUint32(at + BODY, n, true);
  view.setUint8(at + BODY + 4, series);
  const { received, highest, runs, late, jitterMicros, queueMicros, spanMicros } = counted;
  for (const [i, value] of [received, highest, runs, late, jitterMicros, queueMicros, spanMicros].entries())
    view.setUint32(at + BODY + 5 + 4 * i, value, true);
  return TALLY_BYTES;
}

export function readTally(view: DataView, start: number, end: number): (Counted & { n: number; series: number }) | undefined {
  if (end - start < TALLY_BYTES) return undefined;
  const value = (i: number): number => view.getUint32(start + BODY + 5 + 4 * i, true);
  return {
    n: view.getUint32(start + BODY, true),
    series: view.getUint8(start + BODY + 4),
    received: value(0),
    highest: value(1),
    runs: value(2),
    late: value(3),
    jitterMicros: value(4),
    queueMicros: value(5),
    spanMicros: value(6),
  };
}
