/** The pads of option QPP, made of the key as it was given (not of the derived one). */
import type { Primitives } from "../qpp/primitives.ts";
import { QppPads } from "../qpp/qpp.ts";
import type { TunnelConfig } from "./config.ts";

export function padsOf({ QPP, QPPCount, key }: TunnelConfig, primitives: Primitives): QppPads | undefined {
  return QPP ? new QppPads(new TextEncoder().encode(key), QPPCount, primitives) : undefined;
}
