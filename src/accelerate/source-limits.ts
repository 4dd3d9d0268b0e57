/** How many flows a listener lets in: at once, and for each source address at once and a second. Established flows are never touched by it. */
import { TokenBucket } from "../base/token-bucket.ts";
import type { Millis } from "../base/units.ts";
import type { Policy } from "./edge-config.ts";

/** Source addresses that are known at once; flows of further ones are beyond the limit. */
export const SOURCES_MAX = 65_536;

export type Refusal = "flows" | "sourceFlows" | "sourceRate" | "sources";

interface Source {
  flows: number;
  readonly rate: TokenBucket | undefined;
}

export class SourceLimits {
  flows = 0;
  readonly refused: Record<Refusal, number> = { flows: 0, sourceFlows: 0, sourceRate: 0, sources: 0 };
  readonly #flowsMax: number;
  readonly #sourceFlowsMax: number;
  readonly #perSecond: number;
  readonly #sources = new Map<string, Source>();

  /** `share`: of the limits, where several threads serve one listener. */
  constructor({ flowsMax, sourceFlowsMax, sourceFlowsPerSecond }: Policy, share = 1) {
    this.#flowsMax = shareOf(flowsMax, share);
    this.#sourceFlowsMax = shareOf(sourceFlowsMax, share);
    this.#perSecond = sourceFlowsPerSecond === 0 ? 0 : sourceFlowsPerSecond * share;
  }

  get sources(): number {
    return this.#sources.size;
  }

  /** Lets a new flow in, which is to `leave` later, or says why not. */
  enter(address: string, now: Millis): Refusal | undefined {
    const refusal = this.flows >= this.#flowsMax ? "flows" : this.#enterSource(address, now);
    if (refusal === undefined) this.flows++;
    else this.refused[refusal]++;
    return refusal;
  }

  leave(address: string): void {
    this.flows--;
    const source = this.#sources.get(address);
    if (source === undefined) return;
    source.flows--;
    if (source.flows <= 0 && source.rate === undefined) this.#sources.delete(address);
  }

  /** Counts what was let in under other limits as let in under these. */
  take(before: SourceLimits): void {
    this.flows = before.flows;
    Object.assign(this.refused, before.refused);
    for (const [address, { flows }] of before.#sources) if (flows > 0) this.#sources.set(address, { flows, rate: undefined });
  }

  /** Forgets sources that have neither flows nor used much lately. */
  sweep(now: Millis): void {
    for (const [address, { flows, rate }] of this.#sources) if (flows <= 0 && (rate?.idle(now) ?? true)) this.#sources.delete(address);
  }

  #enterSource(address: string, now: Millis): Refusal | undefined {
    if (this.#sourceFlowsMax === Number.POSITIVE_INFINITY && this.#perSecond === 0) return undefined;
    let source = this.#sources.get(address);
    if (source === undefined) {
      if (this.#sources.size >= SOURCES_MAX) return "sources";
      const rate = this.#perSecond === 0 ? undefined : new TokenBucket(this.#perSecond, Math.max(1, this.#perSecond), now);
      source = { flows: 0, rate };
      this.#sources.set(address, source);
    }
    if (source.flows >= this.#sourceFlowsMax) return "sourceFlows";
    if (source.rate !== undefined && !source.rate.take(1, now)) return "sourceRate";
    source.flows++;
    return undefined;
  }
}

function shareOf(limit: number, share: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(limit * share));
}
