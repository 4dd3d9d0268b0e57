/** What an edge asks of tunnels to far machines beside its endpoints (src/tunnel, wired by cli): connections that go that way. */
import type { Millis } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";

export interface Tunnels {
  /**
   * Carries the connection to `target` ("host:port", on the far machine's list) at the other end of the tunnel of that name, and handles it from now on.
   * Undefined: there is no such tunnel, its far end does not answer, or it takes no more; nothing has happened.
   */
  dial(now: Millis, tunnel: string, target: string, socket: TcpSocket): TcpHandler | undefined;
}
