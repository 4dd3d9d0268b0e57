/**
 * Where a new flow of a listener goes.
 *
 *   groups, the closest first ─► each keeps its dial's share of what reaches it, the last one with a dial above 0 all that is left
 *     └ in it: a healthy endpoint of weight above 0, in proportion of weights                                                            dial
 *        └ none there ─► the closest of the three closest groups that has one, dials ignored                                         failover
 *           └ none there either ─► any endpoint of the closest group that has endpoints, weights and health ignored                 fail-open
 *
 * All of it follows from one hash of the flow: equal hashes go the same way, at every edge and after every restart, as long as nothing changes. When
 * something changes, only those flows go elsewhere that must: shares of dials are thresholds of one number, and endpoints are chosen by weighted
 * rendezvous hashing, each flow taking the endpoint with the least −ln(u) ÷ weight, u being a hash of both.
 *
 * Source: AWS Global Accelerator, developer guide, "How failover works" and "traffic dials" (reference/aws-live.md section 2); Thaler and Ravishankar,
 * "Using name-based mappings to increase hit rates", 1998; draft-ietf-bess-weighted-hrw section 3 for the weights.
 */
import { mix32, textHash } from "../base/text-hash.ts";
import type { EndpointConfig, GroupConfig } from "./edge-config.ts";

/** Whether an endpoint answers its checks; shared by all who ask the same of the same place, and changed in place. */
export interface Standing {
  healthy: boolean;
  /** Nothing answers there at all: what runs there is lost. */
  dead: boolean;
}

export interface Target {
  readonly endpoint: EndpointConfig;
  readonly group: GroupConfig;
  readonly standing: Standing;
  readonly salt: number;
}

export type Reason = "dial" | "failover" | "fail-open";

/** Groups in which a failover looks. */
export const FAILOVER_GROUPS = 3;

interface Share {
  readonly group: GroupConfig;
  readonly salt: number;
  readonly dial: number;
  readonly targets: readonly Target[];
}

export class Balance {
  /** Why the last flow went where it went. */
  reason: Reason = "dial";
  readonly targets: readonly Target[];
  #shares: readonly Share[];
  /** Of those with a dial above 0, the farthest. */
  #last = -1;

  /** `standing` answers the same object for the same endpoint and check. Groups are in order until `arrange` is called. */
  constructor(groups: readonly GroupConfig[], standing: (group: GroupConfig, endpoint: EndpointConfig) => Standing) {
    this.#shares = groups.map((group) => ({
      group,
      salt: textHash(group.id, DIAL_SEED),
      dial: group.dial / 100,
      targets: group.endpoints.map((endpoint) => ({ endpoint, group, standing: standing(group, endpoint), salt: textHash(endpoint.id) })),
    }));
    this.targets = this.#shares.flatMap(({ targets }) => targets);
    this.#findLast();
  }

  /** `rank`: of a region, the closest lowest; those of equal rank stay in order. */
  arrange(rank: (region: string) => number): void {
    this.#shares = this.#shares
      .map((share) => ({ share, at: rank(share.group.region) }))
      .sort((a, b) => a.at - b.at)
      .map(({ share }) => share);
    this.#findLast();
  }

  /** `flow`: 32 bits, well mixed. `not`: has just refused this flow. Undefined: there is no endpoint at all. */
  choose(flow: number, not?: ReadonlySet<Target>): Target | undefined {
    const directed = this.#directed(flow);
    if (directed !== undefined) {
      const target = pick(directed.targets, flow, not);
      if (target !== undefined) {
        this.reason = "dial";
        return target;
      }
    }
    for (let i = 0; i < this.#shares.length && i < FAILOVER_GROUPS; i++) {
      const target = pick(this.#shares[i]!.targets, flow, not);
      if (target === undefined) continue;
      this.reason = "failover";
      return target;
    }
    for (const { targets } of this.#shares) {
      if (targets.length === 0) continue;
      this.reason = "fail-open";
      return targets[mix32(flow ^ FAIL_OPEN_SALT) % targets.length];
    }
    return undefined;
  }

  /** What part of all flows goes where, as `choose` has it for very many of them; empty when there is no endpoint at all. */
  expected(): Map<Target, { readonly part: number; readonly reason: Reason }> {
    const parts = new Map<Target, { part: number; reason: Reason }>();
    const spread = (targets: readonly Target[], weight: (target: Target) => number, part: number, reason: Reason): boolean => {
      const sum = targets.reduce((sum, target) => sum + weight(target), 0);
      if (sum === 0) return false;
      for (const target of targets) {
        const own = (part * weight(target)) / sum;
        if (own > 0) parts.set(target, { part: (parts.get(target)?.part ?? 0) + own, reason: parts.get(target)?.reason ?? reason });
      }
      return true;
    };
    let diverted = 0;
    let left = 1;
    for (let i = 0; i <= this.#last; i++) {
      const { dial, targets } = this.#shares[i]!;
      const part = i === this.#last ? left : left * dial;
      left -= part;
      if (!spread(targets, useful, part, "dial")) diverted += part;
    }
    diverted += left;
    if (diverted <= 0) return parts;
    const near = this.#shares.slice(0, FAILOVER_GROUPS);
    if (near.some(({ targets }) => spread(targets, useful, diverted, "failover"))) return parts;
    this.#shares.some(({ targets }) => spread(targets, () => 1, diverted, "fail-open"));
    return parts;
  }

  #directed(flow: number): Share | undefined {
    for (let i = 0; i < this.#last; i++) {
      const share = this.#shares[i]!;
      if (mix32(flow ^ share.salt) < share.dial * TWO_TO_32) return share;
    }
    return this.#shares[this.#last];
  }

  #findLast(): void {
    this.#last = this.#shares.findLastIndex(({ dial }) => dial > 0);
  }
}

/** Weight of an endpoint for new flows. */
function useful({ endpoint, standing }: Target): number {
  return standing.healthy ? endpoint.weight : 0;
}

function pick(targets: readonly Target[], flow: number, not: ReadonlySet<Target> | undefined): Target | undefined {
  let best: Target | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    const { weight } = target.endpoint;
    if (weight === 0 || !target.standing.healthy || not?.has(target)) continue;
    const draw = -Math.log((mix32(flow ^ target.salt) + 0.5) / TWO_TO_32) / weight;
    if (draw >= least) continue;
    least = draw;
    best = target;
  }
  return best;
}

const TWO_TO_32 = 4_294_967_296;
/** Dials and endpoints draw from different numbers. */
const DIAL_SEED = 0x64_69_61_6c;
const FAIL_OPEN_SALT = 0x6f_70_65_6e;
