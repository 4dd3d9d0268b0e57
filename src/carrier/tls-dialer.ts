/** A TCP carrier's connections by TLS, over plain ones. */
import { TlsContext, type TlsOptions, TlsSocket } from "../host/tls-openssl.ts";
import type { TcpDialer } from "./tcp-dialer.ts";

/** @throws HostError when a file cannot be used, or this node executable has no TLS to lend */
export function overTls(role: "client" | "server", options: TlsOptions, plain: TcpDialer): TcpDialer {
  const context = new TlsContext(role, options);
  return {
    dial: (loop, to, handler, departure) => {
      const socket = new TlsSocket(context);
      socket.handler = handler;
      socket.inner = plain.dial(loop, to, socket, departure);
      return socket;
    },
    listen: (loop, at, accept) =>
      plain.listen(loop, at, (inner, now) => {
        const socket = new TlsSocket(context);
        socket.inner = inner;
        socket.handler = accept(socket, now);
        return socket.handler === undefined ? undefined : socket;
      }),
    facts: (socket) => ({ ...plain.facts(socket), tls: "yes" }),
  };
}
