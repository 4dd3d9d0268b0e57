/**
 * Keeps a port from the rest of the machine while raw packets use it; an echo's id needs none. Source: reference udp2raw.md section 5.2.
 * Deviation: the socket is deaf (host/deaf-socket.ts); there the firewall has to keep the kernel quiet.
 */
import type { RawMode } from "../faketcp/mode.ts";
import { DeafSocket } from "../host/deaf-socket.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";

export interface HeldPort {
  /** False: the kernel answers what arrives there, unless the firewall drops it. */
  readonly deaf?: boolean;
  close(): void;
}

const nobody: HeldPort = { deaf: true, close: () => undefined };

/** What to say when a port is not deaf. */
export const NOT_DEAF =
  "the kernel answers raw packets at this port, as this process lacks CAP_NET_ADMIN; grant it, or add the firewall's rule that longhaul raw -g prints";

/** @throws HostError when somebody has it */
export function holdPort(loop: EpollLoop, mode: RawMode, host: string, port: number): HeldPort {
  return mode === "icmp" ? nobody : new DeafSocket(loop, mode === "udp" ? "udp" : "tcp", { host, port });
}
