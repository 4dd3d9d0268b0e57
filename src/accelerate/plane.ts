/**
 * An edge's data plane on one loop: the places of all listeners, their flows, and the rules by which flows begin and end.
 *
 *   apply(config) ─► ServedListeners ─► places: address × port ─► TcpEntrance, UdpEntrance          sockets that stay are not touched
 *   packet of a new flow ─► admit: limits ─► choose ─► TcpFlow, UdpFlow
 *   stand(changes) ─► endpoints' health; flows of dead ones end or go elsewhere
 *   advance ─► turns of flows with more to do · connections given up · idle flows and drains, a slice of the flows at a time
 */
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Region } from "../base/region.ts";
import { Slots } from "../base/slots.ts";
import type { Millis } from "../base/units.ts";
import type { Driver, Loop } from "../host/loop.ts";
import type { ProxiedAddress } from "../host/proxy-protocol.ts";
import type { Standing } from "./balance.ts";
import type { AcceleratorConfig, EdgeConfig, EndpointConfig, GroupConfig, ListenerConfig } from "./edge-config.ts";
import type { Destination, End, Flow } from "./flow.ts";
import type { FlowKey } from "./flow-hash.ts";
import { type StandingChange, standingKey } from "./health-watch.ts";
import { ProxiedDatagrams, ProxySlab } from "./proxied-datagrams.ts";
import { ServedListener, type ServeShared } from "./served-listener.ts";
import { TcpEntrance } from "./tcp-entrance.ts";
import type { Half, TcpFlow } from "./tcp-flow.ts";
import type { Tunnels } from "./tunnels.ts";
import { UdpEntrance } from "./udp-entrance.ts";

export interface Entrance {
  served: ServedListener;
  /** Lets nothing new in. True: flows are left that need it open; `idle` once they have ended. */
  retire(): boolean;
  /** It is wanted again. */
  revive(): void;
  readonly idle: boolean;
  close(): void;
}

export interface PlaneOptions {
  readonly loop: Loop;
  /** Flows at once, of both protocols. */
  readonly flowsMax: number;
  /** Places (address and port) that are opened. */
  readonly placesMax: number;
  /** Buffers of SLOT_BYTES for bytes that one side of a connection sent and the other did not take yet. */
  readonly buffersMax: number;
  readonly connectTimeout: Millis;
  /** Of limits that several threads keep together. */
  readonly share: number;
  /** An endpoint's traffic met a refusal, a reset or silence: its check's key. */
  readonly suspected: (key: string) => void;
  readonly tunnels?: Tunnels | undefined;
  /** A flow has ended. */
  readonly ended?: (flow: Flow) => void;
}

/** Where a new flow goes. */
export interface Place {
  readonly key: FlowKey;
  readonly hash: number;
  readonly destination: Destination;
}

export interface Problem {
  readonly place: string;
  readonly reason: string;
}

export const BUFFER_BYTES = 1 << 16;
/** As many as arrive at once. */
const RUN_MAX = 1024;
/** Tuning. */
const SWEEP_EVERY: Millis = 100;
const SWEEP_FLOWS_MIN = 1000;
const SWEEP_PARTS = 8;
const TURNS_PER_ROUND = 256;
const RETRY_EVERY: Millis = 5000;
const TRIM_EVERY: Millis = 10_000;

export class Plane implements Driver, ServeShared {
  readonly loop: Loop;
  readonly slots: Slots;
  readonly flowsMax: number;
  readonly share: number;
  readonly connectTimeout: Millis;
  readonly tunnels: Tunnels | undefined;
  readonly connecting = new Set<TcpFlow>();
  readonly counters = { flowsFull: 0, placesFull: 0, withoutBuffer: 0, socketsRefused: 0, socketFull: 0, tunnelRefused: 0 };
  readonly #options: PlaneOptions;
  readonly #proxy = new ProxySlab();
  #run: Batch | undefined;
  readonly #standings = new Map<string, Standing>();
  #served = new Map<string, ServedListener>();
  readonly #entrances = new Map<string, Entrance>();
  /** Places that are no longer served, but for the flows that they have. */
  readonly #retired = new Map<string, Entrance>();
  readonly #flows = new Set<Flow>();
  /** Places that could not be opened, tried again now and then. */
  #missing = new Map<string, Wanted & { reason: string }>();
  #addresses: Readonly<Record<string, string>> = {};
  #regions: readonly string[] = [];
  #turns: Half[] = [];
  #starved: Half[] = [];
  #sweep: Iterator<Flow> | undefined;
  #sweepAt: Millis = 0;
  #retryAt: Millis = 0;
  #trimAt: Millis = 0;

  constructor(options: PlaneOptions) {
    this.#options = options;
    this.loop = options.loop;
    this.flowsMax = options.flowsMax;
    this.share = options.share;
    this.connectTimeout = options.connectTimeout;
    this.tunnels = options.tunnels;
    this.slots = new Slots(BUFFER_BYTES, options.buffersMax);
    options.loop.drive(this);
  }

  get flows(): number {
    return this.#flows.size;
  }

  get datagramsTooLong(): number {
    return this.#proxy.dropped;
  }

  /** `addresses`: literal ones of endpoints' names. Answers what could not be opened; that is tried again later. */
  apply(config: EdgeConfig, addresses: Readonly<Record<string, string>>, now: Millis): Problem[] {
    this.#addresses = addresses;
    const before = this.#served;
    this.#served = new Map();
    for (const { accelerator, listener } of listenersOf(config)) {
      const key = `${accelerator.id} ${listener.id}`;
      const known = before.get(key);
      if (known?.config.protocol === listener.protocol) {
        known.become(accelerator, listener, now);
        this.#served.set(key, known);
      } else this.#served.set(key, new ServedListener(this, accelerator, listener));
    }
    this.#open(this.#placesOf(config), now);
    for (const [key, gone] of before) {
      if (this.#served.get(key) === gone) continue;
      for (const flow of gone.flows) flow.drainsSince = Math.min(flow.drainsSince, now);
    }
    this.loop.wake();
    return this.problems;
  }

  get problems(): Problem[] {
    return Array.from(this.#missing, ([place, { reason }]) => ({ place, reason }));
  }

  stand(changes: readonly StandingChange[], now: Millis): void {
    const died = new Set<Standing>();
    for (const { key, healthy, dead } of changes) {
      const standing = this.#standings.get(key) ?? { healthy, dead };
      if (dead && !standing.dead) died.add(standing);
      standing.healthy = healthy;
      standing.dead = dead;
      this.#standings.set(key, standing);
    }
    if (died.size > 0) for (const served of this.#served.values()) this.#bury(served, died, now);
  }

  /** Regions, the closest first. */
  arrange(regions: readonly string[]): void {
    this.#regions = regions;
    for (const served of this.#served.values()) served.arrange();
  }

  standing(group: GroupConfig, endpoint: EndpointConfig): Standing {
    const key = standingKey(group.check, endpoint);
    let standing = this.#standings.get(key);
    if (standing === undefined) {
      standing = { healthy: false, dead: false };
      this.#standings.set(key, standing);
    }
    return standing;
  }

  address(host: string): string | undefined {
    return this.#addresses[host];
  }

  rank(region: string): number {
    const rank = this.#regions.indexOf(region);
    return rank < 0 ? this.#regions.length : rank;
  }

  proxied(source: ProxiedAddress, destination: ProxiedAddress): ProxiedDatagrams {
    return new ProxiedDatagrams(this.#proxy, source, destination);
  }

  /** An empty list over the memory in which datagrams arrive: those that are sent on at once. Borrowed until the next call, of anybody. */
  runIn(slab: Region): Batch {
    if (this.#run?.slab !== slab) this.#run = new Batch(RUN_MAX, slab);
    this.#run.length = 0;
    return this.#run;
  }

  /** Where a new flow goes; undefined when it may not be, which is counted. */
  admit(served: ServedListener, key: FlowKey, hash: number, now: Millis): Place | undefined {
    if (this.#flows.size >= this.flowsMax) {
      this.counters.flowsFull++;
      return undefined;
    }
    const destination = served.choose(hash, key.port);
    if (destination === undefined) {
      served.stats.noEndpoint++;
      return undefined;
    }
    if (served.limits.enter(key.source, now) !== undefined) return undefined;
    served.chosen();
    return { key, hash, destination };
  }

  begun(flow: Flow): void {
    this.#flows.add(flow);
    flow.served.flows.add(flow);
  }

  ended(flow: Flow, why: End): void {
    if (!this.#flows.delete(flow)) return;
    flow.served.flows.delete(flow);
    flow.served.limits.leave(flow.key.source);
    flow.served.stats.ended[why]++;
    this.#options.ended?.(flow);
  }

  /** It did not begin after all, and another one does in its place. */
  forget(flow: Flow): void {
    this.counters.tunnelRefused++;
    this.#flows.delete(flow);
    flow.served.flows.delete(flow);
  }

  suspect({ destination: { target } }: Flow): void {
    if (target !== undefined) this.#options.suspected(standingKey(target.group.check, target.endpoint));
  }

  /** No buffer was free: the half is called again a little later. */
  starve(half: Half): void {
    if (half.queued) return;
    half.queued = true;
    this.#starved.push(half);
  }

  /** The half has more to do: in the next round. */
  again(half: Half): void {
    if (half.queued) return;
    half.queued = true;
    this.#turns.push(half);
    this.loop.wake();
  }

  advance(now: Millis): Millis {
    if (this.#turns.length > 0) this.#takeTurns(now);
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_EVERY;
      for (const flow of this.connecting) if (now >= flow.connectUntil) flow.silent(now);
      this.#sweepFlows(now);
      this.#closeRetired();
      if (this.#starved.length > 0) this.#turns.push(...this.#starved.splice(0, TURNS_PER_ROUND));
      if (now >= this.#retryAt && this.#missing.size > 0) this.#open(new Map([...this.#entrancesWanted(), ...this.#missing]), now);
      if (now >= this.#trimAt) {
        this.#trimAt = now + TRIM_EVERY;
        this.slots.trim();
        for (const { limits } of this.#served.values()) limits.sweep(now);
      }
    }
    return this.#turns.length > 0 ? now : this.#sweepAt;
  }

  listeners(): Iterable<ServedListener> {
    return this.#served.values();
  }

  *each(): Generator<Flow> {
    yield* this.#flows;
  }

  /** Ends everything. */
  close(): void {
    for (const flow of this.#flows) flow.end("stopped");
    for (const entrance of [...this.#entrances.values(), ...this.#retired.values()]) entrance.close();
    this.#entrances.clear();
    this.#retired.clear();
    this.#served.clear();
  }

  #takeTurns(now: Millis): void {
    const turns = this.#turns.splice(0, TURNS_PER_ROUND);
    for (const half of turns) {
      half.queued = false;
      half.pump(now);
    }
  }

  #closeRetired(): void {
    for (const [place, entrance] of this.#retired) {
      if (!entrance.idle) continue;
      entrance.close();
      this.#retired.delete(place);
    }
  }

  #revived(place: string): Entrance | undefined {
    const entrance = this.#retired.get(place);
    if (entrance === undefined) return undefined;
    this.#retired.delete(place);
    this.#entrances.set(place, entrance);
    entrance.revive();
    return entrance;
  }

  #sweepFlows(now: Millis): void {
    let left = Math.max(SWEEP_FLOWS_MIN, Math.ceil(this.#flows.size / SWEEP_PARTS));
    this.#sweep ??= this.#flows.values();
    for (; left > 0; left--) {
      const { done, value: flow } = this.#sweep.next();
      if (done === true) {
        this.#sweep = undefined;
        return;
      }
      const { drainSeconds } = flow.served.policy;
      if (now - flow.activeAt >= flow.served.idle) flow.end("idle");
      else if (drainSeconds > 0 && now - flow.drainsSince >= drainSeconds * 1000) flow.end("drained");
    }
  }

  #bury(served: ServedListener, died: ReadonlySet<Standing>, now: Millis): void {
    if (!served.targets.some(({ standing }) => died.has(standing))) return;
    for (const flow of served.flows) {
      const { target } = flow.destination;
      if (target !== undefined && died.has(target.standing) && served.hasHealthy(flow.hash)) flow.died(now);
    }
  }

  #placesOf(config: EdgeConfig): Map<string, Wanted> {
    const places = new Map<string, Wanted>();
    for (const { accelerator, listener } of listenersOf(config)) {
      const served = this.#served.get(`${accelerator.id} ${listener.id}`)!;
      for (const host of accelerator.addresses)
        for (const { from, to } of listener.ports)
          for (let port = from; port <= to; port++) {
            const place = `${listener.protocol} ${host} ${port}`;
            if (places.size < this.#options.placesMax) places.set(place, { served, host, port });
            else if (!places.has(place)) this.counters.placesFull++;
          }
    }
    return places;
  }

  #entrancesWanted(): [string, Wanted][] {
    return Array.from(this.#entrances, ([place, { served }]) => {
      const [, host = "", port = ""] = place.split(" ");
      return [place, { served, host, port: Number(port) }];
    });
  }

  #open(wanted: ReadonlyMap<string, Wanted>, now: Millis): void {
    this.#retryAt = now + RETRY_EVERY;
    for (const [place, entrance] of this.#entrances) {
      if (wanted.has(place)) continue;
      this.#entrances.delete(place);
      if (entrance.retire()) this.#retired.set(place, entrance);
      else entrance.close();
    }
    this.#missing = new Map();
    for (const [place, { served, host, port }] of wanted) {
      const known = this.#entrances.get(place) ?? this.#revived(place);
      if (known !== undefined && known.served.config.protocol === served.config.protocol) {
        known.served = served;
        continue;
      }
      try {
        const make = served.config.protocol === "TCP" ? TcpEntrance : UdpEntrance;
        this.#entrances.set(place, new make(this, served, host, port));
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.#missing.set(place, { served, host, port, reason: error.code });
      }
    }
  }
}

interface Wanted {
  readonly served: ServedListener;
  readonly host: string;
  readonly port: number;
}

/** Of accelerators that are served. */
function* listenersOf(config: EdgeConfig): Generator<{ accelerator: AcceleratorConfig; listener: ListenerConfig }> {
  for (const accelerator of config.accelerators) {
    if (!accelerator.enabled) continue;
    for (const listener of accelerator.listeners) yield { accelerator, listener };
  }
}
