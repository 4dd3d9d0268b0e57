/**
 * One number for a flow, by which everything about it is decided.
 *
 *   affinity NONE       source address and port, our address and port, protocol        5-tuple
 *   affinity SOURCE_IP  source address, our address                                    2-tuple: each of an accelerator's addresses by itself, as AWS says
 */
import { mix32, textHash } from "../base/text-hash.ts";

export interface FlowKey {
  readonly protocol: "TCP" | "UDP";
  /** Literal addresses. */
  readonly source: string;
  readonly sourcePort: number;
  readonly address: string;
  readonly port: number;
}

export function flowHash({ protocol, source, sourcePort, address, port }: FlowKey, affinity: "NONE" | "SOURCE_IP"): number {
  const places = textHash(address, textHash(source));
  if (affinity === "SOURCE_IP") return mix32(places);
  return mix32(mix32(places ^ (sourcePort * 65_536 + port)) + (protocol === "TCP" ? 6 : 17));
}
