/**
 * Keeps a port from the rest of the machine while raw packets use it: a listener for faketcp, a socket for udp; an echo's id needs none.
 * Source: reference udp2raw.md section 5.2.
 */
import type { RawMode } from "../faketcp/mode.ts";
import type { Loop } from "../host/loop.ts";

export interface HeldPort {
  close(): void;
}

const nobody: HeldPort = { close: () => undefined };

/** @throws HostError when somebody has it */
export function holdPort(loop: Loop, mode: RawMode, host: string, port: number): HeldPort {
  if (mode === "icmp") return nobody;
  if (mode === "faketcp") return loop.listen({ host, port }, () => undefined);
  return loop.udp({ host, port }, { receive: () => undefined, writable: () => undefined });
}
