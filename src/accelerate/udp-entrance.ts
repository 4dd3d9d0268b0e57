/**
 * A place where datagrams come in: one address and port of a listener, and the flows of those who send there.
 *
 *   receive(batch) ─► whose flow? ─► runs of one flow ─► its socket's send, straight out of the batch       nothing is copied
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { UdpHandler, UdpSocket } from "../host/loop.ts";
import { type FlowKey, flowHash } from "./flow-hash.ts";
import type { Entrance, Plane } from "./plane.ts";
import type { ServedListener } from "./served-listener.ts";
import { UdpFlow } from "./udp-flow.ts";

const BUFFER_BYTES = 1 << 20;

export class UdpEntrance implements Entrance, UdpHandler {
  served: ServedListener;
  readonly socket: UdpSocket;
  /** By peer of the socket; who has a flow is held. */
  readonly flows = new Map<number, UdpFlow>();
  readonly #plane: Plane;
  readonly #host: string;
  readonly #port: number;
  #retired = false;

  /** @throws HostError when the place is taken or not ours */
  constructor(plane: Plane, served: ServedListener, host: string, port: number) {
    this.#plane = plane;
    this.served = served;
    this.#host = host;
    this.#port = port;
    this.socket = plane.loop.udp({ host, port, peersMax: plane.flowsMax + 1024, socketBufferBytes: BUFFER_BYTES }, this);
  }

  receive(now: Millis, batch: Batch): void {
    const run = this.#plane.runIn(batch.slab);
    let current: UdpFlow | undefined;
    for (let i = 0; i < batch.length; i++) {
      const peer = batch.peer[i]!;
      const flow = this.flows.get(peer) ?? (this.#retired ? undefined : this.#begin(peer, now));
      if (flow === undefined) continue;
      if (flow !== current || run.full) {
        current?.send(run, now);
        run.length = 0;
        current = flow;
      }
      run.add(batch.start[i]!, batch.end[i]!, flow.peerThere);
    }
    current?.send(run, now);
    run.length = 0;
  }

  writable(): void {}

  retire(): boolean {
    this.#retired = true;
    return !this.idle;
  }

  revive(): void {
    this.#retired = false;
  }

  get idle(): boolean {
    return this.flows.size === 0;
  }

  /** Ends its flows too: they have no way back any more. */
  close(): void {
    for (const flow of this.flows.values()) flow.end("removed");
    this.socket.close();
  }

  #begin(peer: number, now: Millis): UdpFlow | undefined {
    const { addresses } = this.socket;
    const source = addresses.host(peer);
    const key: FlowKey = { protocol: "UDP", source, sourcePort: addresses.port(peer), address: this.#host, port: this.#port };
    const place = this.#plane.admit(this.served, key, flowHash(key, this.served.config.affinity), now);
    if (place === undefined) return undefined;
    const flow = new UdpFlow(this.#plane, this, peer, place, now);
    this.flows.set(peer, flow);
    this.#plane.begun(flow);
    if (flow.open(now)) return flow;
    flow.end("refused");
    return undefined;
  }
}
