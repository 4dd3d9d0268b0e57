/** A place where connections come in: one address and port of a listener. */
import type { Millis } from "../base/units.ts";
import { splitHostPort } from "../host/ip-address.ts";
import type { Listener, TcpHandler, TcpSocket } from "../host/loop.ts";
import { type FlowKey, flowHash } from "./flow-hash.ts";
import type { Entrance, Place, Plane } from "./plane.ts";
import type { ServedListener } from "./served-listener.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { TunnelFlow } from "./tunnel-flow.ts";

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
    const tunnelled = this.#through(place, socket, now);
    if (tunnelled !== undefined) return tunnelled;
    const flow = new TcpFlow(this.#plane, this.served, place, socket, now);
    this.#plane.begun(flow);
    flow.connect(now);
    return flow.handler;
  }

  /** By the tunnel that leads to its group; undefined: there is none, or it does not take it, and the plain way is taken. */
  #through(place: Place, socket: TcpSocket, now: Millis): TcpHandler | undefined {
    const tunnel = place.destination.target?.group.tunnel;
    if (tunnel === undefined) return undefined;
    const flow = new TunnelFlow(this.#plane, this.served, place, socket, now);
    this.#plane.begun(flow);
    if (flow.open(now, tunnel)) return flow;
    this.#plane.forget(flow);
    return undefined;
  }
}
