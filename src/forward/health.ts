/**
 * Which backends answer. Each that is checked begins healthy; so many silences in turn make it unhealthy, so many answers healthy again. A forward all of
 * whose backends are silent keeps their weights: then the check is more likely wrong than all of them.
 *
 * A core: the shell asks `due`, sends the checks and tells their outcome.
 */
import { toHex } from "../base/hex.ts";
import type { Millis } from "../base/units.ts";
import { Schedule } from "../health/schedule.ts";
import { Verdict } from "../health/verdict.ts";
import { entryOf, type Forward, type HealthCheck, parseForward } from "./forward.ts";
import { type Backend, formatBackend, portOf } from "./listen.ts";

export interface BackendHealth {
  readonly forward: string;
  /** As in `to`. */
  readonly backend: string;
  readonly healthy: boolean;
  /** Of the last answer; undefined before the first. */
  readonly answeredMs: Millis | undefined;
  readonly failures: number;
}

/** A check to be sent now; equal ones of several forwards are one. */
export interface Due {
  readonly key: string;
  readonly check: HealthCheck;
  readonly backend: Backend;
  readonly port: number;
}

interface Watched {
  readonly due: Due;
  readonly users: Set<string>;
  readonly verdict: Verdict;
}

export class Health {
  readonly counters = { checks: 0, answers: 0, silences: 0, turnedUnhealthy: 0, turnedHealthy: 0 };
  readonly #watched = new Map<string, Watched>();
  readonly #schedule = new Schedule<Due>();

  /** From now on these. What is known of backends that stay is kept. */
  watch(forwards: Iterable<Forward>, now: Millis): void {
    const wanted = new Map<string, { due: Due; users: Set<string> }>();
    for (const forward of forwards) {
      if (forward.check === undefined || forward.state === "off") continue;
      for (const backend of forward.backends) {
        const due = dueOf(forward, forward.check, backend);
        const known = wanted.get(due.key);
        if (known === undefined) wanted.set(due.key, { due, users: new Set([forward.name]) });
        else known.users.add(forward.name);
      }
    }
    for (const key of this.#watched.keys()) if (!wanted.has(key)) this.#watched.delete(key);
    for (const [key, { due, users }] of wanted)
      this.#watched.set(key, { due, users, verdict: this.#watched.get(key)?.verdict ?? new Verdict(true) });
    this.#schedule.want(new Map(Array.from(wanted, ([key, { due }]) => [key, { item: due, period: due.check.periodSeconds * 1000 }])), now);
  }

  deadline(): Millis {
    return this.#schedule.deadline();
  }

  /** Checks to be sent now, each of which is to be answered by `outcome`. */
  due(now: Millis): Due[] {
    const due = this.#schedule.due(now);
    this.counters.checks += due.length;
    return due;
  }

  /** `answeredMs`: undefined for silence. True when a backend turned, so that weights change. */
  outcome(key: string, answeredMs: Millis | undefined, now: Millis): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined || !this.#schedule.finished(key, now)) return false;
    const answered = answeredMs !== undefined;
    this.counters[answered ? "answers" : "silences"]++;
    const { rise, fall } = watched.due.check;
    if (!watched.verdict.tell(answeredMs, answered ? rise : fall)) return false;
    this.counters[answered ? "turnedHealthy" : "turnedUnhealthy"]++;
    return true;
  }

  /** The forward with no weight for backends that are unhealthy, unless all are. */
  weigh(forward: Forward): Forward {
    const { check } = forward;
    if (check === undefined) return forward;
    const healthy = forward.backends.map((backend) => this.#watched.get(dueOf(forward, check, backend).key)?.verdict.healthy ?? true);
    const useful = forward.backends.some((backend, i) => backend.weight > 0 && healthy[i]);
    if (healthy.every((each) => each) || !useful) return forward;
    const to = forward.backends.map((backend, i) => `${formatBackend(backend)}@${healthy[i] ? backend.weight : 0}`);
    return parseForward({ ...entryOf(forward), to }, forward.name);
  }

  list(): BackendHealth[] {
    return [...this.#watched.values()].flatMap(({ due, users, verdict: { healthy = true, answeredMs, failures } }) =>
      [...users].map((forward) => ({ forward, backend: formatBackend(due.backend), healthy, answeredMs, failures })),
    );
  }
}

function dueOf(forward: Forward, check: HealthCheck, backend: Backend): Due {
  const port = check.port ?? portOf(forward.listen, backend) ?? forward.listen.ports.first;
  const payload = toHex(check.payload);
  const key = `${check.kind} ${formatBackend({ ...backend, port })} ${payload} ${check.periodSeconds} ${check.timeoutSeconds} ${check.rise} ${check.fall}`;
  return { key, check, backend, port };
}
