/**
 * The smux frame, on the wire of kcptun (reference kcptun.md section 6). All integers are little-endian.
 *
 *      0         1     2          4
 *     +---------+-----+----------+------------+-----------------
 *     | version | cmd |  length  |    sid     | length bytes
 *     +---------+-----+----------+------------+-----------------
 *
 *     0 SYN  opens stream sid                     length 0; between two ends of ours also a body that describes the stream,
 *                                                 and again for a stream that is open: kcptun would end the session
 *     1 FIN  end of data of this side             length 0
 *     2 PSH  data                                 length 0…65535
 *     3 NOP  keepalive, sid 0                     length 0
 *     4 UPD  version 2: consumed u32, window u32  length 8
 */
import type { Bytes } from "../base/units.ts";

export const CMD_SYN = 0;
export const CMD_FIN = 1;
export const CMD_PSH = 2;
export const CMD_NOP = 3;
export const CMD_UPD = 4;

export const HEADER_BYTES: Bytes = 8;
export const UPD_BODY_BYTES: Bytes = 8;
/** A whole UPD frame. */
export const UPDATE_BYTES: Bytes = HEADER_BYTES + UPD_BODY_BYTES;

export function putHeader(view: DataView, offset: number, version: number, cmd: number, length: number, sid: number): void {
  view.setUint8(offset, version);
  view.setUint8(offset + 1, cmd);
  view.setUint16(offset + 2, length, true);
  view.setUint32(offset + 4, sid, true);
}

/** Writes a whole UPD frame: bytes of the stream consumed so far and the window behind them, both modulo 2^32. */
export function putUpdate(view: DataView, offset: number, version: number, sid: number, consumed: number, window: number): void {
  putHeader(view, offset, version, CMD_UPD, UPD_BODY_BYTES, sid);
  view.setUint32(offset + HEADER_BYTES, consumed, true);
  view.setUint32(offset + HEADER_BYTES + 4, window, true);
}

/** What is wrong with a header in a session of this version, as an error code; undefined when it is in order. A SYN may have `synBytesMax`. */
export function headerFault(sessionVersion: number, version: number, cmd: number, length: number, synBytesMax: Bytes): string | undefined {
  if (version !== sessionVersion) return "smux.version";
  if (cmd === CMD_PSH || (cmd === CMD_SYN && length <= synBytesMax)) return undefined;
  if (cmd > CMD_UPD || (cmd === CMD_UPD && version === 1)) return "smux.command";
  if (length !== (cmd === CMD_UPD ? UPD_BODY_BYTES : 0)) return "smux.length";
  return undefined;
}
