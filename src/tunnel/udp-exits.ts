/**
 * Where the peer's flows come out: a UDP socket for each, so that the target tells them apart, and knows whom to answer, by their ports.
 *
 *   OPEN ─▶ target on the list? ─▶ name found? ─▶ datagrams to the target; from it, and from nobody else, back into the flow
 *
 * While a name is being looked for at most PENDING datagrams wait. A flow ends when nothing came either way for `flowidle` seconds, when the
 * peer ends it, and with its session. Limit: `flows` at once; those that have idled for a while
 * give way to new ones, and are opened again by the peer's next datagram.
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { type Description, KIND_UDP, REFUSED_FAILED, REFUSED_LIMIT, REFUSED_TARGET } from "../extension/description.ts";
import type { Log } from "../host/log.ts";
import type { Loop, UdpHandler, UdpSocket } from "../host/loop.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import type { DatagramSender } from "./datagram-sender.ts";
import type { FlowEnd, FlowRefusal } from "./flows.ts";
import { formatPlace } from "./place.ts";
import { Recurrence } from "./recurrence.ts";
import type { Session } from "./session.ts";
import type { TargetList } from "./target.ts";
import type { TargetNames } from "./target-names.ts";
import { SPARE_LOOK_MS, SPARE_MS } from "./udp-entrance.ts";

const SWEEP_MS: Millis = 1000;
const PENDING = 16;
/** Addresses that a flow's socket remembers: the target's, and a few strangers'. */
const PEERS_MAX = 8;

export interface UdpExitsOptions {
  readonly loop: Loop;
  readonly log: Log;
  readonly counters: ChannelCounters;
  readonly sender: DatagramSender;
  readonly targets: () => TargetList;
  readonly names: TargetNames;
  /** What the list is called in the configuration. */
  readonly option: string;
  /** Read where it is needed: it may change. */
  readonly config: { readonly flows: number; readonly flowidle: number; readonly quiet: boolean };
}

export class UdpExits {
  readonly #options: UdpExitsOptions;
  readonly #exits = new Set<Exit>();
  readonly #full = new Recurrence();
  #sweepAt: Millis = NEVER;
  #spareAt: Millis = 0;

  constructor(options: UdpExitsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#exits.size;
  }

  readonly accept = (session: Session, id: number, description: Description, now: Millis): FlowEnd | FlowRefusal => {
    const { counters, config, log, option, names, targets } = this.#options;
    const { target: name, kind } = description;
    const target = kind === KIND_UDP ? targets().find(KIND_UDP, name) : undefined;
    if (target === undefined || "path" in target.endpoint || session.lock?.user.mayReach(name) === false) {
      counters.refusedTargets++;
      const of = target === undefined ? `option ${option}` : "not one of the user's targets";
      const reason = name === "" ? "no default target for UDP" : `"${name}" is not a target for UDP here (${of})`;
      log.warn({ peer: session.peerName, target: name, refused: counters.refusedTargets }, `flow refused: ${reason}`);
      return { verdict: REFUSED_TARGET, reason };
    }
    if (this.#exits.size >= config.flows) this.#spare(now);
    if (this.#exits.size >= config.flows) {
      counters.flowsRefused++;
      const refused = this.#full.happened(now);
      if (refused > 0) log.warn({ peer: session.peerName, refused }, "flow refused: as many as option flows allows are open");
      return { verdict: REFUSED_LIMIT, reason: "too many flows" };
    }
    const exit = new Exit(this.#options, session, id, now, (gone) => void this.#exits.delete(gone));
    this.#exits.add(exit);
    this.#sweepAt = Math.min(this.#sweepAt, now + SWEEP_MS);
    if (!config.quiet) {
      const from = description.source === undefined ? undefined : formatPlace(description.source);
      log.info({ peer: session.peerName, flow: id, from, target: target.text }, "flow opened");
    }
    const { host, port } = target.endpoint;
    const address = names.known(host, now);
    if (address !== undefined) {
      const reason = exit.bind(address, port);
      return reason === undefined ? exit : { verdict: REFUSED_FAILED, reason };
    }
    names.find(host, (found) => exit.resolved(found, port));
    return exit;
  };

  #spare(now: Millis): void {
    if (now < this.#spareAt) return;
    this.#spareAt = now + SPARE_LOOK_MS;
    for (const exit of this.#exits) {
      if (now - exit.activeAt < SPARE_MS) continue;
      this.#options.counters.flowsEvicted++;
      exit.end(now);
    }
  }

  /** Ends what has idled; answers when to look again. */
  advance(now: Millis): Millis {
    if (now < this.#sweepAt) return this.#sweepAt;
    for (const exit of this.#exits) {
      if (now - exit.activeAt < this.#options.config.flowidle * 1000) continue;
      this.#options.counters.flowsExpired++;
      exit.end(now);
    }
    this.#sweepAt = this.#exits.size > 0 ? now + SWEEP_MS : NEVER;
    return this.#sweepAt;
  }
}

class Exit implements FlowEnd, UdpHandler {
  activeAt: Millis;
  readonly #options: UdpExitsOptions;
  readonly #session: Session;
  readonly #id: number;
  readonly #gone: (exit: Exit) => void;
  #socket: UdpSocket | undefined;
  #target = -1;
  #pending: Uint8Array[] | undefined = [];
  #over = false;

  constructor(options: UdpExitsOptions, session: Session, id: number, now: Millis, gone: (exit: Exit) => void) {
    this.#options = options;
    this.#session = session;
    this.#id = id;
    this.activeAt = now;
    this.#gone = gone;
  }

  /** Opens the socket; answers why it cannot. */
  bind(host: string, port: number): string | undefined {
    const { loop, sender } = this.#options;
    try {
      this.#socket = loop.udp({ host: host.includes(":") ? "::" : "0.0.0.0", port: 0, peersMax: PEERS_MAX }, this);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#close();
      return error.message;
    }
    const { addresses } = this.#socket;
    this.#target = addresses.intern(host, port);
    addresses.hold(this.#target);
    for (const datagram of this.#pending ?? []) sender.push(this.#socket, this.#target, datagram, 0, datagram.length);
    this.#pending = undefined;
    return undefined;
  }

  /** `address` is undefined when the name was not found. */
  resolved(address: string | undefined, port: number): void {
    if (this.#over) return;
    const reason = address === undefined ? "the target's name was not found" : this.bind(address, port);
    if (reason === undefined) return;
    this.#options.counters.unresolved++;
    this.#options.log.warn({ peer: this.#session.peerName, flow: this.#id, reason }, "flow ended");
    this.end(this.activeAt);
  }

  deliver(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    const { sender, counters } = this.#options;
    this.activeAt = now;
    if (this.#socket !== undefined) sender.push(this.#socket, this.#target, bytes, start, end);
    else if (this.#pending !== undefined && this.#pending.length < PENDING) this.#pending.push(bytes.slice(start, end));
    else counters.datagramsRefused++;
  }

  receive(now: Millis, batch: Batch): void {
    const { counters } = this.#options;
    this.activeAt = now;
    counters.datagramsIn += batch.length;
    for (let i = 0; i < batch.length; i++) {
      if (batch.peer[i] === this.#target) this.#session.flows?.send(now, this.#id, batch.bytes, batch.start[i]!, batch.end[i]!);
      else counters.datagramsForeign++;
    }
  }

  writable(_now: Millis): void {}

  verdict(): void {}

  ended(now: Millis): void {
    this.end(now);
  }

  lost(): void {
    this.#close();
  }

  end(now: Millis): void {
    this.#session.flows?.remove(now, this.#id, true);
    this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.sender.flush();
    this.#socket?.close();
    this.#socket = undefined;
    this.#pending = undefined;
    this.#gone(this);
  }
}
