/** One flow: a source at an entrance, and the socket by which its backend knows it. */
import { Batch } from "../../base/batch.ts";
import type { Millis } from "../../base/units.ts";
import type { UdpHandler, UdpOptions, UdpSocket } from "../../host/loop.ts";
import type { Entrance, EntranceShared } from "./entrance.ts";

/** The backend, and one who is not. */
const PEERS_MAX = 2;
const RUN_MAX = 1024;
/** As an entrance has: the system's own is full after some 270 small datagrams, and a backend that was held up answers all at once. */
const FLOW_BUFFER_BYTES = 1 << 20;

export interface FlowPlaces {
  readonly backend: { readonly host: string; readonly port: number };
  readonly source: UdpOptions;
}

export class UserFlow implements UdpHandler {
  readonly entrance: Entrance;
  /** At the entrance's socket. */
  readonly peer: number;
  readonly backend: { readonly host: string; readonly port: number };
  /** At this flow's socket. */
  readonly target: number;
  activeAt: Millis;
  packetsIn = 0;
  bytesIn = 0;
  packetsOut = 0;
  bytesOut = 0;
  readonly #socket: UdpSocket;
  readonly #shared: EntranceShared;
  readonly #headerBytes: number;
  #run: Batch | undefined;

  /** @throws HostError when the place towards the backend cannot be had */
  constructor(shared: EntranceShared, entrance: Entrance, peer: number, { backend, source }: FlowPlaces, now: Millis) {
    this.#shared = shared;
    this.entrance = entrance;
    this.peer = peer;
    this.backend = backend;
    this.activeAt = now;
    this.#headerBytes = backend.host.includes(":") ? 48 : 28;
    this.#socket = shared.loop.udp({ ...source, peer: backend, peersMax: PEERS_MAX, socketBufferBytes: FLOW_BUFFER_BYTES }, this);
    this.target = this.#socket.addresses.intern(backend.host, backend.port);
    this.#socket.addresses.hold(this.target);
    entrance.socket.addresses.hold(peer);
  }

  get local(): { readonly host: string; readonly port: number } {
    return this.#socket.local;
  }

  /** Towards the backend. What the socket does not take is lost. */
  send(run: Batch, { counters }: EntranceShared): void {
    const sent = this.#socket.send(run, 0);
    if (sent < run.length) counters.socketFull += run.length - sent;
  }

  receive(now: Millis, batch: Batch): void {
    if (this.#run?.slab !== batch.slab) this.#run = new Batch(RUN_MAX, batch.slab);
    const run = this.#run;
    const { stats } = this.entrance.served;
    run.length = 0;
    for (let i = 0; i < batch.length && !run.full; i++) {
      // Only the backend's own: anybody may send to a port, where the socket is not the kernel's business.
      if (batch.peer[i] !== this.target) continue;
      const start = batch.start[i]!;
      const end = batch.end[i]!;
      this.#shared.tap?.(this, false, batch.bytes, start, end);
      run.add(start, end, this.peer);
      this.packetsOut++;
      this.bytesOut += end - start + this.#headerBytes;
      stats.packetsOut++;
      stats.bytesOut += end - start + this.#headerBytes;
    }
    if (run.length === 0) return;
    this.activeAt = now;
    const sent = this.entrance.socket.send(run, 0);
    if (sent < run.length) this.#shared.counters.socketFull += run.length - sent;
  }

  writable(): void {}

  unreachable(now: Millis, code: string): void {
    if (code === "ECONNREFUSED") this.#shared.refused(this, now);
  }

  close(): void {
    this.#socket.close();
    this.entrance.socket.addresses.release(this.peer);
  }
}
