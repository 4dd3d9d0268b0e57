/**
 * A place where datagrams come in: a socket, and the flows of those who send there.
 *
 *   receive(batch) ─► whose flow? ─► runs of one flow ─► its socket's send, straight out of the batch       nothing is copied
 */
import { Batch } from "../../base/batch.ts";
import type { Region } from "../../base/region.ts";
import type { Millis } from "../../base/units.ts";
import type { Loop, UdpHandler, UdpSocket } from "../../host/loop.ts";
import type { UserFlow } from "./flow.ts";
import type { Served } from "./served.ts";

/** Datagrams that are sent on at once. */
const RUN_MAX = 1024;

export interface EntranceShared {
  readonly loop: Loop;
  /** A new flow; undefined when it cannot be, which is counted. */
  begin(entrance: Entrance, peer: number, now: Millis): UserFlow | undefined;
  /** The backend has nobody at its port. */
  refused(flow: UserFlow, now: Millis): void;
  readonly counters: { socketFull: number };
  /** Somebody looks on. */
  readonly tap: ((flow: UserFlow, inbound: boolean, bytes: Uint8Array, start: number, end: number) => void) | undefined;
}

export class Entrance implements UdpHandler {
  readonly host: string;
  readonly port: number;
  readonly socket: UdpSocket;
  /** By peer of the socket; who has a flow is held. */
  readonly flows = new Map<number, UserFlow>();
  served: Served;
  readonly #shared: EntranceShared;
  readonly #headerBytes: number;
  #run: Batch | undefined;

  /** @throws HostError when the place is taken or not ours */
  constructor(shared: EntranceShared, served: Served, host: string, port: number, peersMax: number) {
    this.#shared = shared;
    this.served = served;
    this.host = host;
    this.port = port;
    this.#headerBytes = host.includes(":") ? 48 : 28;
    this.socket = shared.loop.udp({ host, port, peersMax, socketBufferBytes: BUFFER_BYTES }, this);
  }

  receive(now: Millis, batch: Batch): void {
    const run = this.#runIn(batch.slab);
    const { stats } = this.served;
    let current: UserFlow | undefined;
    for (let i = 0; i < batch.length; i++) {
      const peer = batch.peer[i]!;
      const start = batch.start[i]!;
      const end = batch.end[i]!;
      if (!this.#pass(peer, end - start + this.#headerBytes, now)) continue;
      const flow = this.flows.get(peer) ?? this.#shared.begin(this, peer, now);
      if (flow === undefined) continue;
      if (flow !== current || run.full) {
        current?.send(run, this.#shared);
        run.length = 0;
        current = flow;
      }
      this.#shared.tap?.(flow, true, batch.bytes, start, end);
      run.add(start, end, flow.target);
      flow.activeAt = now;
      flow.packetsIn++;
      flow.bytesIn += end - start + this.#headerBytes;
      stats.packetsIn++;
      stats.bytesIn += end - start + this.#headerBytes;
    }
    current?.send(run, this.#shared);
    run.length = 0;
  }

  writable(): void {}

  close(): void {
    this.socket.close();
  }

  /** Whether the forward's lists and limits let it through. */
  #pass(peer: number, bytes: number, now: Millis): boolean {
    const { served } = this;
    const { limiter, forward, stats } = served;
    if (forward.allow.length + forward.deny.length > 0 && !served.serves(this.socket.addresses.host(peer))) {
      stats.denied++;
      return false;
    }
    if (limiter !== undefined && !limiter.pass(this.socket.addresses.host(peer), bytes, now)) {
      stats.limited++;
      return false;
    }
    return true;
  }

  /** A second list over the memory in which datagrams arrive. */
  #runIn(slab: Region): Batch {
    if (this.#run?.slab !== slab) this.#run = new Batch(RUN_MAX, slab);
    return this.#run;
  }
}

const BUFFER_BYTES = 1 << 20;
