/** How a TCP carrier's connections are made and taken: plain here, by TLS in tls-dialer.ts. */
import type { Listener, Loop, TcpHandler, TcpSocket, TcpTuning } from "../host/loop.ts";
import type { HostPort } from "./settings.ts";

export interface TcpDialer {
  /** Starts connecting; the handler is told as by Loop.connect. */
  dial(loop: Loop, to: HostPort, handler: TcpHandler): TcpSocket;
  /** `accept` as for Loop.listen. @throws HostError */
  listen(loop: Loop, at: HostPort, accept: (socket: TcpSocket, now: number) => TcpHandler | undefined): Listener;
  /** For the log. */
  facts(socket: TcpSocket | undefined): Readonly<Record<string, string>>;
}

/** The kernel's congestion control that is asked for, and how much may wait unsent in the kernel. */
export function plainTcp(tuning: TcpTuning): TcpDialer {
  return {
    dial: (loop, to, handler) => {
      const socket = loop.connect(to, handler);
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
