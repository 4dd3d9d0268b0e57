/** How a TCP carrier's connections are made and taken: plain here, by TLS in tls-dialer.ts. */
import type { Departure } from "../host/departure.ts";
import type { Listener, Loop, TcpHandler, TcpSocket, TcpTuning } from "../host/loop.ts";
import type { HostPort } from "./settings.ts";

export interface TcpDialer {
  /** Starts connecting; the handler is told as by Loop.connect. */
  dial(loop: Loop, to: HostPort, handler: TcpHandler, departure?: Departure): TcpSocket;
  /** `accept` as for Loop.listen. @throws HostError */
  listen(loop: Loop, at: HostPort, accept: (socket: TcpSocket, now: number) => TcpHandler | undefined): Listener;
  /** For the log. */
  facts(socket: TcpSocket | undefined): Readonly<Record<string, string>>;
}

/** The kernel's congestion control that is asked for, and how much may wait unsent in the kernel. */
export function plainTcp(tuning: TcpTuning): TcpDialer {
  return {
    dial: (loop, to, handler, departure) => {
      const source = departure && { host: to.host.includes(":") ? "::" : "0.0.0.0", port: 0, ...departure };
      const socket = loop.connect(to, handler, undefined, source);
      socket.tune?.(tuning);
      return socket;
    },
    listen: (loop, at, accept) =>
      loop.listen(at, (socket, now) => {
        socket.tune?.(tuning);
        return accept(socket, now);
      }),
    facts: (socket) => ({ congestion: socket?.congestion ?? "unknown" }),
  };
}
