/** A place where connections come in: one address and port of a listener. */
import type { Millis } from "../base/units.ts";
import { splitHostPort } from "../host/ip-address.ts";
import type { Listener, TcpHandler, TcpSocket } from "../host/loop.ts";
import { type FlowKey, flowHash } from "./flow-hash.ts";
import type { Entrance, Plane } from "./plane.ts";
import type { ServedListener } from "./served-listener.ts";
import { TcpFlow } from "./tcp-flow.ts";

export class TcpEntrance implements Entrance {
  served: ServedListener;
  readonly #plane: Plane;
  readonly #host: string;
  readonly #port: number;
  readonly #listener: Listener;

  /** @throws HostError when the place is taken or not ours */
  constructor(plane: Plane, served: ServedListener, host: string, port: number) {
    this.#plane = plane;
    this.served = served;
    this.#host = host;
    this.#port = port;
    this.#listener = plane.loop.listen({ host, port }, (socket, now) => this.#accept(socket, now));
  }

  /** Connections need no listener any more. */
  retire(): boolean {
    return false;
  }

  revive(): void {}

  get idle(): boolean {
    return true;
  }

  close(): void {
    this.#listener.close();
  }

  #accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    const { host: source, port: sourcePort } = splitHostPort(socket.remote);
    const key: FlowKey = { protocol: "TCP", source, sourcePort, address: this.#host, port: this.#port };
    const place = this.#plane.admit(this.served, key, flowHash(key, this.served.config.affinity), now);
    if (place === undefined) return undefined;
    const flow = new TcpFlow(this.#plane, this.served, place, socket, now);
    this.#plane.begun(flow);
    flow.connect(now);
    return flow.handler;
  }
}
