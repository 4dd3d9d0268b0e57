/**
 * Endpoints' names as addresses: asked again now and then, since the system's resolver does not tell how long an answer holds. A name that has no answer any more
 * keeps the last one; health says whether anybody is there.
 */
import type { Millis } from "../base/units.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Resolver } from "../host/resolver.ts";
import type { EdgeConfig } from "./edge-config.ts";

/** Tuning: between two looks at a name, with and without an answer. */
const AGAIN: Millis = 30_000;
const AGAIN_UNKNOWN: Millis = 2000;

interface Name {
  address: string | undefined;
  next: Millis;
  asked: boolean;
}

export class EndpointNames {
  readonly counters = { lookups: 0, lookupsFailed: 0 };
  readonly #resolver: Resolver;
  readonly #names = new Map<string, Name>();
  #literals: Record<string, string> = {};

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  /** From now on these; those that stay keep their addresses. */
  want(config: EdgeConfig, now: Millis): void {
    const wanted = new Set<string>();
    for (const { listeners } of config.accelerators)
      for (const { groups, routes } of listeners) {
        for (const { endpoints } of groups) for (const { host } of endpoints) wanted.add(host);
        for (const { address } of routes) wanted.add(address);
      }
    this.#literals = {};
    for (const name of this.#names.keys()) if (!wanted.has(name)) this.#names.delete(name);
    for (const host of wanted) {
      if (ipFamily(host) !== 0) this.#literals[host] = host;
      else if (!this.#names.has(host)) this.#names.set(host, { address: undefined, next: now, asked: false });
    }
  }

  /** Literal addresses by host, of those that have one. */
  get addresses(): Record<string, string> {
    const all = { ...this.#literals };
    for (const [name, { address }] of this.#names) if (address !== undefined) all[name] = address;
    return all;
  }

  address(host: string): string | undefined {
    return this.#literals[host] ?? this.#names.get(host)?.address;
  }

  /** Asks for what is due. `changed` is called for each answer that is another one than before. */
  refresh(now: Millis, changed: () => void): void {
    for (const [host, name] of this.#names) {
      if (name.asked || name.next > now) continue;
      name.asked = this.#resolver.resolve(host, 0, (address) => {
        name.asked = false;
        name.next = now + (address === undefined && name.address === undefined ? AGAIN_UNKNOWN : AGAIN);
        if (address === undefined) this.counters.lookupsFailed++;
        if (address === undefined || address === name.address || this.#names.get(host) !== name) return;
        name.address = address;
        changed();
      });
      if (name.asked) this.counters.lookups++;
    }
  }
}
