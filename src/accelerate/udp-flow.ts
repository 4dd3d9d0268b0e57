/**
 * One UDP flow: a source at an entrance, and a socket connected to its endpoint.
 *
 * When the endpoint dies, or its machine refuses, the flow goes on at another one: a new socket, the same client. Silence where answers used to come is told to
 * health, which asks the endpoint at once.
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { UdpHandler, UdpSocket } from "../host/loop.ts";
import type { Target } from "./balance.ts";
import { type End, type Flow, PlacedFlow } from "./flow.ts";
import type { Place, Plane } from "./plane.ts";
import type { ProxiedDatagrams } from "./proxied-datagrams.ts";
import type { UdpEntrance } from "./udp-entrance.ts";

/** The endpoint, and nobody else: the socket is connected. */
const PEERS_MAX = 1;
/** Tuning: an endpoint that answered and is silent for so long while its client sends is suspected. */
const SILENCE: Millis = 400;
/** Tuning: a flow goes elsewhere because of refusals at most once in so long. */
const REFUSAL_GAP: Millis = 200;

export class UdpFlow extends PlacedFlow implements Flow, UdpHandler {
  readonly way = "userspace";
  bytesIn = 0;
  bytesOut = 0;
  packetsIn = 0;
  packetsOut = 0;
  /** The endpoint at this flow's socket. */
  peerThere = 0;
  readonly #plane: Plane;
  readonly #entrance: UdpEntrance;
  readonly #peer: number;
  #socket: UdpSocket | undefined;
  #proxied: ProxiedDatagrams | undefined;
  #heardAt: Millis = NEVER;
  /** The first datagram sent since something was heard. */
  #askedAt: Millis = NEVER;
  #movedAt: Millis = Number.NEGATIVE_INFINITY;
  #over = false;

  constructor(plane: Plane, entrance: UdpEntrance, peer: number, place: Place, now: Millis) {
    super(entrance.served, place, now);
    this.#plane = plane;
    this.#entrance = entrance;
    this.#peer = peer;
    entrance.socket.addresses.hold(peer);
  }

  get seenAs(): string {
    const local = this.#socket?.local;
    return local === undefined ? "" : `${local.host}:${local.port}`;
  }

  /** The socket towards the destination; false when it cannot be had. */
  open(now: Millis): boolean {
    const { host, port, client } = this.destination;
    const { source, sourcePort, address, port: ours } = this.key;
    const any = host.includes(":") ? "::" : "0.0.0.0";
    const from = client === "transparent" ? { host: source, port: sourcePort, transparent: true } : { host: any, port: 0 };
    try {
      this.#socket = this.#plane.loop.udp({ ...from, peer: { host, port }, peersMax: PEERS_MAX }, this);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#plane.counters.socketsRefused++;
      return false;
    }
    const { addresses } = this.#socket;
    this.peerThere = addresses.intern(host, port);
    addresses.hold(this.peerThere);
    this.#proxied = client === "proxy" ? this.#plane.proxied({ host: source, port: sourcePort }, { host: address, port: ours }) : undefined;
    this.#heardAt = NEVER;
    this.#askedAt = now;
    return true;
  }

  /** Towards the endpoint. What the socket does not take is lost, as on any wire. */
  send(run: Batch, now: Millis): void {
    const socket = this.#socket;
    if (socket === undefined || run.length === 0) return;
    let bytes = 0;
    for (let i = 0; i < run.length; i++) bytes += run.end[i]! - run.start[i]!;
    const { stats } = this.served;
    this.bytesIn += bytes;
    stats.bytesIn += bytes;
    this.packetsIn += run.length;
    stats.packetsIn += run.length;
    if (this.#askedAt === NEVER) this.#askedAt = now;
    else if (this.#heardAt !== NEVER && now - this.#askedAt > SILENCE) {
      this.#askedAt = now;
      this.#plane.suspect(this);
    }
    this.activeAt = now;
    const batch = this.#proxied === undefined ? run : this.#proxied.wrap(run, this.peerThere);
    const sent = socket.send(batch, 0);
    this.#plane.counters.socketFull += batch.length - sent;
  }

  receive(now: Millis, batch: Batch): void {
    const run = this.#plane.runIn(batch.slab);
    let bytes = 0;
    for (let i = 0; i < batch.length && !run.full; i++) {
      run.add(batch.start[i]!, batch.end[i]!, this.#peer);
      bytes += batch.end[i]! - batch.start[i]!;
    }
    const { stats } = this.served;
    this.bytesOut += bytes;
    stats.bytesOut += bytes;
    this.packetsOut += run.length;
    stats.packetsOut += run.length;
    this.activeAt = now;
    this.#heardAt = now;
    this.#askedAt = NEVER;
    const sent = this.#entrance.socket.send(run, 0);
    this.#plane.counters.socketFull += run.length - sent;
  }

  writable(): void {}

  unreachable(now: Millis): void {
    this.#plane.suspect(this);
    if (!this.served.policy.repin || now - this.#movedAt < REFUSAL_GAP) return;
    const { target } = this.destination;
    if (target !== undefined) this.#move(now, new Set([target]));
  }

  died(now: Millis): void {
    if (this.served.policy.repin) this.#move(now);
  }

  end(why: End): void {
    if (this.#over) return;
    this.#over = true;
    // Who is told asks for our address.
    this.#plane.ended(this, why);
    this.#socket?.close();
    this.#socket = undefined;
    this.#entrance.flows.delete(this.#peer);
    this.#entrance.socket.addresses.release(this.#peer);
  }

  #move(now: Millis, not?: ReadonlySet<Target>): void {
    const next = this.served.choose(this.hash, this.key.port, not);
    if (next?.target === undefined || !next.target.standing.healthy || next.target === this.destination.target) return;
    this.#movedAt = now;
    this.#socket?.close();
    this.#socket = undefined;
    this.destination = next;
    this.drainsSince = NEVER;
    this.served.stats.repinned++;
    if (!this.open(now)) this.end("refused");
  }
}
