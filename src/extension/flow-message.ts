/**
 * Messages of flows: datagrams of one application to one target and back, unordered and unreliable, each a body behind the header (header.ts).
 *
 *    0      4     5      6       10
 *   ┌──────┬─────┬──────┬───────┬──────────────────────────────────────────────────┐
 *   │ conv │ 108 │ type │ flow  │                                                  │
 *   └──────┴─────┴──────┴───────┴──────────────────────────────────────────────────┘
 *     16 OPEN      length u16 · description (description.ts) · datagram, or nothing
 *     17 DATA      datagram
 *     18 PART      id u16 · total u16 · index u8 · count u8 · piece        reassembly.ts
 *     19 VERDICT   description with a verdict
 *     20 END       the sender does not know the flow (any more)
 *
 * Flows of the client have odd numbers, flows of the server even ones. Every message stands for itself: OPEN is sent, each time with the next datagram,
 * until the peer has said anything of the flow; who gets DATA for a flow it does not know says END, and the other opens it again.
 * Thus no loss and no restart of a peer needs a timer, and nothing waits behind a stream.
 */
import type { Bytes } from "../base/units.ts";
import { EXTENSION_HEADER_BYTES, writeHeader } from "./header.ts";

export const OPEN = 16;
export const DATA = 17;
export const PART = 18;
export const VERDICT = 19;
export const END = 20;

const FLOW = EXTENSION_HEADER_BYTES;
/** Where the body of a flow's message begins. */
export const FLOW_HEADER_BYTES: Bytes = FLOW + 4;
/** Header of OPEN before its description, and of PART before its piece. */
export const OPEN_HEADER_BYTES: Bytes = FLOW_HEADER_BYTES + 2;
export const PART_HEADER_BYTES: Bytes = FLOW_HEADER_BYTES + 6;

/** The longest datagram of UDP over IPv4. */
export const DATAGRAM_BYTES_MAX: Bytes = 65_507;

/** The caller has checked that FLOW_HEADER_BYTES are there. */
export function readFlow(view: DataView, start: number): number {
  return view.getUint32(start + FLOW, true);
}

export function writeFlowHeader(view: DataView, at: number, conv: number, type: number, flow: number): void {
  writeHeader(view, at, conv, type);
  view.setUint32(at + FLOW, flow, true);
}
