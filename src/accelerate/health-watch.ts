/**
 * Which endpoints answer their checks, and how far they are.
 *
 *   due ─► the shell asks ─► outcome ─► so many in turn ─► standing: healthy? dead?          endpoints of equal checks and hosts share one
 *    ▲                         └─ answered ─► closeness of the regions it serves
 *    └ suspect: traffic was refused, reset, or met silence ─► asked at once, and one failure is enough
 *
 * A new endpoint is not healthy until its first check was answered. A suspicion alone changes nothing: a client may send to a port at which an endpoint has
 * nothing, and must not be able to take it out of service by that.
 *
 * Source: AWS Global Accelerator, "Health checks" (reference/aws-live.md section 2). Deviation: what is unhealthy because it answers wrongly and what does
 * not answer at all (dead) are told apart, since flows that run are worth keeping only with the former.
 */
import type { Millis } from "../base/units.ts";
import { Schedule } from "../health/schedule.ts";
import { Verdict } from "../health/verdict.ts";
import type { ProbeOutcome } from "../host/probe-outcome.ts";
import type { Standing } from "./balance.ts";
import { Closeness } from "./closeness.ts";
import type { EdgeConfig, EndpointConfig, GroupConfig, HealthCheck } from "./edge-config.ts";

export interface Ask {
  readonly key: string;
  readonly check: HealthCheck;
  /** As configured: an address or a name. */
  readonly host: string;
  readonly port: number;
}

export interface EndpointHealth {
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: not known yet, "INITIAL". */
  readonly healthy: boolean | undefined;
  readonly dead: boolean;
  readonly answeredMs: Millis | undefined;
  readonly failures: number;
  readonly why: string;
}

export interface StandingChange extends Standing {
  readonly key: string;
}

interface Watched {
  ask: Ask;
  regions: ReadonlySet<string>;
  readonly verdict: Verdict;
  readonly standing: Standing;
  suspected: boolean;
  suspectedAt: Millis;
  why: string;
}

/** Tuning: suspicions of one endpoint that lead to a check of their own are at least so far apart. */
const SUSPICION_GAP: Millis = 200;
const TIMEOUT_MAX: Millis = 5000;
/** Tuning: how long an answer may take that a suspicion asks for, in answers of before. */
const SUSPECT_ROUND_TRIPS = 4;
const SUSPECT_TIMEOUT_MIN: Millis = 500;

/** Equal for what is asked equally. */
export function standingKey(check: HealthCheck, { host, checkPort = check.port }: EndpointConfig): string {
  const { protocol, path, payload, intervalMs, threshold } = check;
  return `${host} ${protocol} ${checkPort} ${path} ${payload} ${intervalMs} ${timeoutOf(check)} ${threshold}`;
}

export class HealthWatch {
  readonly closeness = new Closeness();
  readonly counters = { checks: 0, answers: 0, failures: 0, suspicions: 0, turnedHealthy: 0, turnedUnhealthy: 0 };
  readonly #watched = new Map<string, Watched>();
  readonly #schedule = new Schedule<Ask>();

  /** From now on these endpoints; what is known of those that stay is kept. */
  watch(config: EdgeConfig, now: Millis): void {
    const wanted = new Map<string, { ask: Ask; regions: Set<string> }>();
    const regions = new Set<string>();
    for (const group of groupsOf(config)) {
      regions.add(group.region);
      for (const endpoint of group.endpoints) {
        const key = standingKey(group.check, endpoint);
        const known = wanted.get(key);
        if (known === undefined) wanted.set(key, { ask: askOf(key, group, endpoint), regions: new Set([group.region]) });
        else known.regions.add(group.region);
      }
    }
    this.closeness.name(regions);
    for (const key of this.#watched.keys()) if (!wanted.has(key)) this.#watched.delete(key);
    for (const [key, { ask, regions }] of wanted) {
      const known = this.#watched.get(key);
      if (known !== undefined) Object.assign(known, { ask, regions });
      else {
        const standing = { healthy: false, dead: false };
        const verdict = new Verdict(undefined);
        this.#watched.set(key, { ask, regions, verdict, standing, suspected: false, suspectedAt: Number.NEGATIVE_INFINITY, why: "" });
      }
    }
    this.#schedule.want(new Map(Array.from(wanted, ([key, { ask }]) => [key, { item: ask, period: ask.check.intervalMs }])), now);
  }

  deadline(): Millis {
    return this.#schedule.deadline();
  }

  /** Checks to be made now, each of which is to be answered by `outcome`. */
  due(now: Millis): Ask[] {
    const due = this.#schedule.due(now);
    this.counters.checks += due.length;
    return due;
  }

  /** How long the answer to a check may take now. */
  timeout({ key, check }: Ask): Millis {
    const watched = this.#watched.get(key);
    const { answeredMs } = watched?.verdict ?? {};
    const most = timeoutOf(check);
    if (watched?.suspected !== true || answeredMs === undefined) return most;
    return Math.min(most, Math.max(SUSPECT_TIMEOUT_MIN, answeredMs * SUSPECT_ROUND_TRIPS));
  }

  /** What has changed by it, if anything; `moved` tells that the order of regions has. */
  outcome(
    key: string,
    { took, failure }: ProbeOutcome,
    now: Millis,
  ): { readonly change: StandingChange | undefined; readonly moved: boolean } {
    const watched = this.#watched.get(key);
    if (watched === undefined || !this.#schedule.finished(key, now)) return { change: undefined, moved: false };
    const { verdict, standing, suspected, ask } = watched;
    watched.suspected = false;
    watched.why = failure ?? "";
    this.counters[took === undefined ? "failures" : "answers"]++;
    let moved = false;
    if (took !== undefined) for (const region of watched.regions) moved = this.closeness.measured(region, key, took, now) || moved;
    if (verdict.tell(took, suspected && took === undefined ? 1 : ask.check.threshold))
      this.counters[took === undefined ? "turnedUnhealthy" : "turnedHealthy"]++;
    const healthy = verdict.healthy === true;
    const dead = verdict.healthy === false && (took === undefined ? failure !== "wrong" : standing.dead);
    if (healthy === standing.healthy && dead === standing.dead) return { change: undefined, moved };
    standing.healthy = healthy;
    standing.dead = dead;
    return { change: { key, healthy, dead }, moved };
  }

  /** Traffic met a refusal, a reset or silence. True when a check is to be made at once. */
  suspect(key: string, now: Millis): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined || now - watched.suspectedAt < SUSPICION_GAP) return false;
    watched.suspectedAt = now;
    watched.suspected = true;
    this.counters.suspicions++;
    return this.#schedule.hurry(key, now);
  }

  /** Undefined: nobody watches it. */
  standing(key: string): Standing | undefined {
    return this.#watched.get(key)?.standing;
  }

  /** All that is known: for whoever has just begun to serve. */
  standings(): StandingChange[] {
    return Array.from(this.#watched, ([key, { standing }]) => ({ key, ...standing }));
  }

  list(): EndpointHealth[] {
    return Array.from(this.#watched, ([key, { ask, verdict, standing, why }]) => {
      const { healthy, answeredMs, failures } = verdict;
      return { key, host: ask.host, port: ask.port, healthy, dead: standing.dead, answeredMs, failures, why };
    });
  }
}

/** Of accelerators that are served. */
export function* groupsOf(config: EdgeConfig): Generator<GroupConfig> {
  for (const { enabled, listeners } of config.accelerators) {
    if (!enabled) continue;
    for (const { groups } of listeners) yield* groups;
  }
}

function askOf(key: string, { check }: GroupConfig, { host, checkPort = check.port }: EndpointConfig): Ask {
  return { key, check, host, port: checkPort };
}

function timeoutOf({ timeoutMs, intervalMs }: HealthCheck): Millis {
  return timeoutMs ?? Math.min(intervalMs, TIMEOUT_MAX);
}
