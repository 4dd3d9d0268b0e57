/**
 * What is said about the ways of a session, the addresses and carriers that lead to its server.
 *
 *    0        6       14     15     16     20       21
 *   ┌────────┬───────┬──────┬──────┬──────┬────────┐
 *   │ header │ token │ way  │ use  │ n    │ copies │   PROBE, the client's, on each way; older ones end before `copies`
 *   └────────┴───────┴──────┴──────┴──────┴────────┘
 *   ┌────────┬──────┬──────┬──────────┐
 *   │ header │ way  │ n    │ loss u16 │       HEARD, the server's, where the probe came from; loss: of what it sends, in thousandths
 *   └────────┴──────┴──────┴──────────┘
 *    0        6      7      11         13
 *
 * The server learns the token from the first probe at the session's own address; whoever shows it from another address, with a number that was not used yet
 * and under the same key, is the same client. `use` 1: from now on the server sends here. `copies`: of what it sends on the way that is used, so many hundredths
 * come here as well.
 */
import type { Bytes } from "../base/units.ts";
import { EXTENSION_HEADER_BYTES, writeHeader } from "./header.ts";

export const PROBE = 5;
export const HEARD = 6;

export const TOKEN_BYTES: Bytes = 8;
export const PROBE_BYTES: Bytes = EXTENSION_HEADER_BYTES + TOKEN_BYTES + 7;
/** Of a version that knew of no copies. */
const PROBE_BYTES_MIN: Bytes = PROBE_BYTES - 1;
export const HEARD_BYTES: Bytes = EXTENSION_HEADER_BYTES + 7;

const BODY = EXTENSION_HEADER_BYTES;
const WAY = BODY + TOKEN_BYTES;

export interface Probe {
  /** Bytes of it, as hexadecimal digits. */
  readonly token: string;
  readonly way: number;
  readonly use: boolean;
  readonly n: number;
  /** Share of what is sent that comes here as well, 0 … 1. */
  readonly copies: number;
}

export function writeProbe(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  conv: number,
  token: Uint8Array,
  probe: Omit<Probe, "token">,
): Bytes {
  writeHeader(view, at, conv, PROBE);
  bytes.set(token, at + BODY);
  view.setUint8(at + WAY, probe.way);
  view.setUint8(at + WAY + 1, probe.use ? 1 : 0);
  view.setUint32(at + WAY + 2, probe.n, true);
  view.setUint8(at + WAY + 6, Math.round(Math.min(Math.max(probe.copies, 0), 1) * 100));
  return PROBE_BYTES;
}

/** Undefined when it is too short. */
export function readProbe(bytes: Uint8Array, view: DataView, start: number, end: number): Probe | undefined {
  if (end - start < PROBE_BYTES_MIN) return undefined;
  const token = Array.from(bytes.subarray(start + BODY, start + WAY), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const [way, use, n] = [view.getUint8(start + WAY), view.getUint8(start + WAY + 1) === 1, view.getUint32(start + WAY + 2, true)];
  return { token, way, use, n, copies: end - start < PROBE_BYTES ? 0 : Math.min(view.getUint8(start + WAY + 6), 100) / 100 };
}

export function writeHeard(view: DataView, at: number, conv: number, way: number, n: number, loss: number): Bytes {
  writeHeader(view, at, conv, HEARD);
  view.setUint8(at + BODY, way);
  view.setUint32(at + BODY + 1, n, true);
  view.setUint16(at + BODY + 5, Math.round(Math.min(Math.max(loss, 0), 1) * 1000), true);
  return HEARD_BYTES;
}

/** Undefined when it is too short. */
export function readHeard(view: DataView, start: number, end: number): { way: number; n: number; loss: number } | undefined {
  if (end - start < HEARD_BYTES) return undefined;
  return {
    way: view.getUint8(start + BODY),
    n: view.getUint32(start + BODY + 1, true),
    loss: view.getUint16(start + BODY + 5, true) / 1000,
  };
}
