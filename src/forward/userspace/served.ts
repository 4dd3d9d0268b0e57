/** A forward as the userspace datapath serves it: what it is now, what it counts, which sources it serves. Lives on when the forward changes. */
import { textHash } from "../../base/text-hash.ts";
import type { Millis } from "../../base/units.ts";
import { type ForwardStats, newForwardStats } from "../datapath.ts";
import { type Forward, weighted } from "../forward.ts";
import { contains, parseAddress } from "../ip-range.ts";
import type { Backend } from "../listen.ts";
import { Limiter } from "./limiter.ts";

/** Sources whose verdict is remembered. */
const VERDICTS_MAX = 65_536;

export class Served {
  readonly stats: ForwardStats = newForwardStats();
  readonly #verdicts = new Map<string, boolean>();
  #forward: Forward;
  #limiter: Limiter | undefined;
  #weighted: readonly Backend[];
  #total: number;

  constructor(forward: Forward, now: Millis) {
    this.#forward = forward;
    this.#limiter = Limiter.of(forward.limits, now);
    this.#weighted = weighted(forward);
    this.#total = totalOf(this.#weighted);
  }

  get forward(): Forward {
    return this.#forward;
  }

  get limiter(): Limiter | undefined {
    return this.#limiter;
  }

  become(forward: Forward, now: Millis): void {
    if (JSON.stringify(forward.limits) !== JSON.stringify(this.#forward.limits)) this.#limiter = Limiter.of(forward.limits, now);
    this.#forward = forward;
    this.#weighted = weighted(forward);
    this.#total = totalOf(this.#weighted);
    this.#verdicts.clear();
  }

  /** Whether datagrams of this source address are served at all. */
  serves(source: string): boolean {
    const { allow, deny } = this.#forward;
    if (allow.length + deny.length === 0) return true;
    let verdict = this.#verdicts.get(source);
    if (verdict === undefined) {
      verdict = this.#judge(source);
      if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear();
      this.#verdicts.set(source, verdict);
    }
    return verdict;
  }

  /** For a new flow; undefined when there is none to be had. */
  choose(source: string, port: number): Backend | undefined {
    if (this.#forward.state !== "on" || this.#total === 0) return undefined;
    let place = textHash(this.#forward.balance === "flow" ? `${source} ${port}` : source) % this.#total;
    for (const backend of this.#weighted) {
      if (place < backend.weight) return backend;
      place -= backend.weight;
    }
    return undefined;
  }

  #judge(source: string): boolean {
    const address = parseAddress(source);
    if (address === undefined) return false;
    const { allow, deny } = this.#forward;
    const { family, value } = address;
    return (
      !deny.some((range) => contains(range, family, value)) && (allow.length === 0 || allow.some((range) => contains(range, family, value)))
    );
  }
}

function totalOf(backends: readonly Backend[]): number {
  return backends.reduce((sum, { weight }) => sum + weight, 0);
}
