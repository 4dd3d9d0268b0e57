/** A listener as an edge serves it: what it is now, what runs through it, what it counts. Lives on when its configuration changes. */
import type { Traffic } from "../base/traffic.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { Target } from "./balance.ts";
import { Balance, type Standing } from "./balance.ts";
import type { AcceleratorConfig, EndpointConfig, GroupConfig, ListenerConfig, Policy, Route } from "./edge-config.ts";
import type { Destination, End, Flow } from "./flow.ts";
import { SourceLimits } from "./source-limits.ts";

export interface ListenerStats extends Traffic {
  newFlows: number;
  failovers: number;
  failOpens: number;
  /** New flows for which there was no endpoint at all, or none that took them. */
  noEndpoint: number;
  repinned: number;
  readonly ended: Record<End, number>;
}

export interface ServeShared {
  /** The one object that holds how an endpoint stands. */
  standing(group: GroupConfig, endpoint: EndpointConfig): Standing;
  /** Literal address of a host; undefined while it is not known. */
  address(host: string): string | undefined;
  rank(region: string): number;
  /** Of limits that several threads keep together. */
  readonly share: number;
}

export class ServedListener {
  readonly flows = new Set<Flow>();
  readonly stats: ListenerStats = newListenerStats();
  accelerator: AcceleratorConfig;
  config: ListenerConfig;
  limits: SourceLimits;
  readonly #shared: ServeShared;
  #balance: Balance;
  readonly #routes = new Map<number, Route>();

  constructor(shared: ServeShared, accelerator: AcceleratorConfig, config: ListenerConfig) {
    this.#shared = shared;
    this.accelerator = accelerator;
    this.config = config;
    this.limits = new SourceLimits(accelerator.policy, shared.share);
    this.#balance = this.#balanced();
    this.#index();
  }

  get policy(): Policy {
    return this.accelerator.policy;
  }

  get idle(): Millis {
    return (this.config.protocol === "TCP" ? this.policy.tcpIdleSeconds : this.policy.udpIdleSeconds) * 1000;
  }

  /** Flows whose endpoint stays keep it; those of endpoints that are gone or have no weight begin to drain. */
  become(accelerator: AcceleratorConfig, config: ListenerConfig, now: Millis): void {
    this.accelerator = accelerator;
    this.config = config;
    const before = this.limits;
    this.limits = new SourceLimits(accelerator.policy, this.#shared.share);
    this.limits.take(before);
    this.#balance = this.#balanced();
    this.#index();
    for (const flow of this.flows) this.#follow(flow, now);
  }

  arrange(): void {
    this.#balance.arrange((region) => this.#shared.rank(region));
  }

  /** For a new flow, or one that lost its endpoint. `not`: endpoints that just refused it. */
  choose(hash: number, port: number, not?: ReadonlySet<Target>): Destination | undefined {
    if (this.config.groups.length === 0) return this.#route(port);
    const target = this.#balance.choose(hash, not);
    if (target === undefined || not?.has(target)) return undefined;
    const host = this.#shared.address(target.endpoint.host);
    if (host === undefined) return undefined;
    return { host, port: portOf(target, port), client: target.endpoint.client, target, reason: this.#balance.reason };
  }

  /** Counts the last choice as one of a new flow. */
  chosen(): void {
    this.stats.newFlows++;
    if (this.config.groups.length === 0) return;
    if (this.#balance.reason === "failover") this.stats.failovers++;
    else if (this.#balance.reason === "fail-open") this.stats.failOpens++;
  }

  /** There is a healthy endpoint to go to. */
  hasHealthy(hash: number): boolean {
    return this.#balance.choose(hash)?.standing.healthy === true;
  }

  get targets(): readonly Target[] {
    return this.#balance.targets;
  }

  #balanced(): Balance {
    const balance = new Balance(this.config.groups, (group, endpoint) => this.#shared.standing(group, endpoint));
    balance.arrange((region) => this.#shared.rank(region));
    return balance;
  }

  #follow(flow: Flow, now: Millis): void {
    const { destination, key } = flow;
    const target = this.#balance.targets.find(({ endpoint: { id, host } }) => {
      const known = destination.target?.endpoint;
      return known !== undefined && id === known.id && host === known.host;
    });
    if (target !== undefined) flow.destination = { ...destination, target };
    const route = destination.target === undefined ? this.#route(key.port) : undefined;
    const stays =
      destination.target === undefined
        ? route?.host === destination.host && route.port === destination.port
        : target !== undefined && target.endpoint.weight > 0;
    if (stays) flow.drainsSince = NEVER;
    else if (flow.drainsSince === NEVER) flow.drainsSince = now;
  }

  #route(port: number): Destination | undefined {
    const route = this.#routes.get(port);
    const host = route === undefined ? undefined : this.#shared.address(route.address);
    return route === undefined || host === undefined
      ? undefined
      : { host, port: route.port + port - route.first, client: "none", target: undefined, reason: "route" };
  }

  #index(): void {
    this.#routes.clear();
    for (const route of this.config.routes) {
      if (!route.protocols.includes(this.config.protocol)) continue;
      for (let port = route.first; port < route.first + route.count; port++) this.#routes.set(port, route);
    }
  }
}

export function newListenerStats(): ListenerStats {
  return {
    ...{ newFlows: 0, failovers: 0, failOpens: 0, noEndpoint: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, repinned: 0 },
    ended: { closed: 0, idle: 0, refused: 0, dead: 0, drained: 0, removed: 0, stopped: 0 },
  };
}

export function portOf({ endpoint, group }: Target, port: number): number {
  return endpoint.port ?? group.overrides.find(({ listener }) => listener === port)?.endpoint ?? port;
}
