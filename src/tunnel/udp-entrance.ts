/**
 * Where datagrams of applications come in: a UDP socket, and a flow for each address they come from.
 *
 *   datagram ─▶ flow of its source ─▶ session, chosen once and again when that one is over ─▶ OPEN or DATA        (flows.ts)
 *   reply    ─▶ flow ─▶ to the source, from the address of ours that it asked
 *
 * A flow ends when nothing came either way for `flowidle` seconds; one that was never answered after UNANSWERED_MS already, so that
 * a flood from forged addresses does not hold the table for long. Limit: `flows` at once; when there are more, those that have idled for SPARE_MS give
 * way (a flow for each DNS question is soon idle), and when there is none the new one is not forwarded.
 */
import type { Batch } from "../base/batch.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { type Description, GRANTED, KIND_UDP, writeDescription } from "../extension/description.ts";
import { formatHostPort } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { Loop, UdpHandler, UdpSocket } from "../host/loop.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import type { DatagramSender } from "./datagram-sender.ts";
import type { Entrance } from "./entrances.ts";
import type { FlowEnd } from "./flows.ts";
import type { Forward } from "./forward.ts";
import { placeOf } from "./place.ts";
import { Recurrence } from "./recurrence.ts";
import type { Session } from "./session.ts";

const SWEEP_MS: Millis = 1000;
const UNANSWERED_MS: Millis = 30_000;
/** A flow that has idled so long gives way when there are too many; that is looked for so often at most. */
export const SPARE_MS: Millis = 10_000;
export const SPARE_LOOK_MS: Millis = 500;
/** Addresses that are remembered: those of the most flows there may be, and a few of applications that are refused. */
const PEERS_MAX = 65_536 + 64;
/** A flow that was refused is not asked for again so soon. */
const REFUSED_MS: Millis = 5000;

export interface UdpEntranceOptions {
  readonly loop: Loop;
  readonly log: Log;
  readonly counters: ChannelCounters;
  readonly sender: DatagramSender;
  /** Read where it is needed: it may change. */
  readonly config: { readonly sockbuf: number; readonly flows: number; readonly flowidle: number; readonly quiet: boolean };
  /** Where the flow with this number belongs, which is in `current` now. Undefined: nowhere. */
  readonly session: (now: Millis, turn: number, current: Session | undefined) => Session | undefined;
}

export class UdpEntrance implements Entrance, UdpHandler {
  forward: Forward;
  readonly socket: UdpSocket;
  readonly #options: UdpEntranceOptions;
  readonly #flows = new Map<number, Flow>();
  readonly #full = new Recurrence();
  readonly #nowhere = new Recurrence();
  #sweepAt: Millis = NEVER;
  #spareAt: Millis = 0;
  #turn = 0;

  /** @throws HostError when the address cannot be bound */
  constructor(options: UdpEntranceOptions, forward: Forward) {
    this.forward = forward;
    this.#options = options;
    const { host, port } = forward.listen as { host: string; port: number };
    this.socket = options.loop.udp({ host, port, socketBufferBytes: options.config.sockbuf, peersMax: PEERS_MAX }, this);
  }

  get local(): { readonly host: string; readonly port: number } {
    return this.socket.local;
  }

  get options(): UdpEntranceOptions {
    return this.#options;
  }

  retarget(forward: Forward): void {
    if (forward.target !== this.forward.target) this.#endAll(0);
    this.forward = forward;
  }

  receive(now: Millis, batch: Batch): void {
    const { counters } = this.#options;
    counters.datagramsIn += batch.length;
    for (let i = 0; i < batch.length; i++) {
      const peer = batch.peer[i]!;
      const flow = this.#flows.get(peer) ?? this.#begin(now, peer);
      if (flow === undefined) counters.datagramsRefused++;
      else flow.send(now, batch.bytes, batch.start[i]!, batch.end[i]!);
    }
  }

  writable(_now: Millis): void {}

  /** Ends what has idled; answers when to look again. */
  advance(now: Millis): Millis {
    if (now < this.#sweepAt) return this.#sweepAt;
    for (const flow of this.#flows.values()) if (now >= flow.dueAt) this.#end(now, flow, true);
    this.#sweepAt = this.#flows.size > 0 ? now + SWEEP_MS : NEVER;
    return this.#sweepAt;
  }

  close(): void {
    this.#endAll(0);
    this.#options.sender.flush();
    this.socket.close();
  }

  /** Nothing is sent there: told once a second. */
  refused(now: Millis, target: string, reason: string): void {
    const datagrams = this.#nowhere.happened(now);
    if (datagrams > 0) this.#options.log.warn({ at: this.forward.text, target, datagrams }, `datagrams refused: ${reason}`);
  }

  #begin(now: Millis, peer: number): Flow | undefined {
    const { config, counters, log } = this.#options;
    if (this.#flows.size >= config.flows) this.#spare(now);
    if (this.#flows.size >= config.flows) {
      counters.flowsRefused++;
      const refused = this.#full.happened(now);
      if (refused > 0) log.warn({ at: this.forward.text, refused }, "datagrams refused: as many flows as option flows allows are open");
      return undefined;
    }
    const { addresses, local } = this.socket;
    const from = addresses.format(peer);
    const description: Description = {
      kind: KIND_UDP,
      target: this.forward.target,
      source: placeOf(from),
      destination: placeOf(formatHostPort(addresses.localHost(peer), local.port)),
    };
    const flow = new Flow(this, peer, from, this.#turn++, writeDescription(description));
    addresses.hold(peer);
    this.#flows.set(peer, flow);
    this.#sweepAt = Math.min(this.#sweepAt, now + SWEEP_MS);
    counters.flowsOpened++;
    if (!config.quiet) log.info({ from, at: this.forward.text, target: this.forward.target || undefined }, "flow opened");
    return flow;
  }

  #spare(now: Millis): void {
    if (now < this.#spareAt) return;
    this.#spareAt = now + SPARE_LOOK_MS;
    for (const flow of this.#flows.values()) {
      if (now - flow.activeAt < SPARE_MS) continue;
      this.#options.counters.flowsEvicted++;
      this.#end(now, flow, false);
    }
  }

  #end(now: Millis, flow: Flow, expired: boolean): void {
    const { counters, log, config } = this.#options;
    this.#flows.delete(flow.peer);
    flow.leave(now);
    this.socket.addresses.release(flow.peer);
    if (expired) counters.flowsExpired++;
    if (!config.quiet) log.info({ from: flow.from, sent: flow.sent, received: flow.received }, "flow closed");
  }

  #endAll(now: Millis): void {
    for (const flow of [...this.#flows.values()]) this.#end(now, flow, false);
  }
}

/** One application's datagrams. */
class Flow implements FlowEnd {
  readonly peer: number;
  readonly from: string;
  sent = 0;
  received = 0;
  readonly #entrance: UdpEntrance;
  readonly #turn: number;
  readonly #description: Uint8Array;
  #session: Session | undefined;
  #id = 0;
  /** The peer has said something of the flow. */
  #open = false;
  activeAt: Millis = 0;
  #refusedUntil: Millis = 0;

  constructor(entrance: UdpEntrance, peer: number, from: string, turn: number, description: Uint8Array) {
    this.#entrance = entrance;
    this.peer = peer;
    this.from = from;
    this.#turn = turn;
    this.#description = description;
  }

  get dueAt(): Millis {
    const flowIdleMs = this.#entrance.options.config.flowidle * 1000;
    return this.activeAt + (this.received > 0 ? flowIdleMs : Math.min(flowIdleMs, UNANSWERED_MS));
  }

  send(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    const { counters, session: choose } = this.#entrance.options;
    this.activeAt = now;
    if (now < this.#refusedUntil) {
      counters.datagramsRefused++;
      return;
    }
    const session = choose(now, this.#turn, this.#session);
    if (session !== this.#session) this.#move(now, session);
    const flows = session?.flows;
    if (flows === undefined || (flows.standing === "no" && session?.extension?.negotiation.again(now) !== true)) {
      this.#refuse(now, session === undefined ? "nobody is there to take them" : "the other end is a kcptun, or has extensions off");
      counters.refusedPlain++;
      return;
    }
    this.sent++;
    flows.send(now, this.#id, bytes, start, end, this.#open ? undefined : this.#description);
  }

  deliver(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    this.#open = true;
    this.activeAt = now;
    this.received++;
    this.#entrance.options.sender.push(this.#entrance.socket, this.peer, bytes, start, end);
  }

  verdict(now: Millis, { verdict, reason }: Description): void {
    if (verdict === GRANTED) {
      this.#open = true;
      return;
    }
    this.#entrance.options.counters.refusedByPeer++;
    this.#refuse(now, `the peer says: ${reason ?? `code ${verdict}`}`);
  }

  ended(_now: Millis): void {
    this.#open = false;
  }

  lost(): void {
    this.#session = undefined;
    this.#open = false;
  }

  leave(now: Millis): void {
    this.#session?.flows?.remove(now, this.#id, true);
    this.#session = undefined;
  }

  #move(now: Millis, session: Session | undefined): void {
    this.leave(now);
    this.#open = false;
    this.#session = session;
    if (session?.flows !== undefined) this.#id = session.flows.add(this);
  }

  #refuse(now: Millis, reason: string): void {
    this.#refusedUntil = now + REFUSED_MS;
    this.#open = false;
    this.#entrance.options.counters.datagramsRefused++;
    this.#entrance.refused(now, this.#entrance.forward.target, reason);
  }
}
