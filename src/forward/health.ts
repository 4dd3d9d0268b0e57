/**
 * Which backends answer. Each that is checked begins healthy; so many silences in turn make it unhealthy, so many answers healthy again. A forward all of
 * whose backends are silent keeps their weights: then the check is more likely wrong than all of them.
 *
 * A core: the shell asks `due`, sends the checks and tells their outcome.
 */
import { toHex } from "../base/hex.ts";
import { type Millis, NEVER } from "../base/units.ts";
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
  healthy: boolean;
  inTurn: number;
  failures: number;
  answeredMs: Millis | undefined;
  next: Millis;
  waiting: boolean;
}

export class Health {
  readonly counters = { checks: 0, answers: 0, silences: 0, turnedUnhealthy: 0, turnedHealthy: 0 };
  readonly #watched = new Map<string, Watched>();
  #spread = 0;

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
    for (const [key, { due, users }] of wanted) {
      const known = this.#watched.get(key);
      if (known !== undefined) {
        known.users.clear();
        for (const user of users) known.users.add(user);
        continue;
      }
      // Spread over the period, so that a thousand backends are not asked at once.
      this.#spread = (this.#spread + SPREAD) % 1;
      const next = now + this.#spread * Math.min(1000, due.check.periodSeconds * 1000);
      this.#watched.set(key, { due, users, healthy: true, inTurn: 0, failures: 0, answeredMs: undefined, next, waiting: false });
    }
  }

  deadline(): Millis {
    let earliest = NEVER;
    for (const { next, waiting } of this.#watched.values()) if (!waiting) earliest = Math.min(earliest, next);
    return earliest;
  }

  /** Checks to be sent now, each of which is to be answered by `outcome`. */
  due(now: Millis): Due[] {
    const due: Due[] = [];
    for (const watched of this.#watched.values()) {
      if (watched.waiting || watched.next > now) continue;
      watched.waiting = true;
      watched.next = now + watched.due.check.periodSeconds * 1000;
      this.counters.checks++;
      due.push(watched.due);
    }
    return due;
  }

  /** `answeredMs`: undefined for silence. True when a backend turned, so that weights change. */
  outcome(key: string, answeredMs: Millis | undefined): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined) return false;
    watched.waiting = false;
    const answered = answeredMs !== undefined;
    if (answered) {
      this.counters.answers++;
      watched.answeredMs = answeredMs;
    } else {
      this.counters.silences++;
      watched.failures++;
    }
    if (answered === watched.healthy) {
      watched.inTurn = 0;
      return false;
    }
    const { rise, fall } = watched.due.check;
    if (++watched.inTurn < (answered ? rise : fall)) return false;
    watched.healthy = answered;
    watched.inTurn = 0;
    this.counters[answered ? "turnedHealthy" : "turnedUnhealthy"]++;
    return true;
  }

  /** The forward with no weight for backends that are unhealthy, unless all are. */
  weigh(forward: Forward): Forward {
    const { check } = forward;
    if (check === undefined) return forward;
    const healthy = forward.backends.map((backend) => this.#watched.get(dueOf(forward, check, backend).key)?.healthy ?? true);
    const useful = forward.backends.some((backend, i) => backend.weight > 0 && healthy[i]);
    if (healthy.every((each) => each) || !useful) return forward;
    const to = forward.backends.map((backend, i) => `${formatBackend(backend)}@${healthy[i] ? backend.weight : 0}`);
    return parseForward({ ...entryOf(forward), to }, forward.name);
  }

  list(): BackendHealth[] {
    return [...this.#watched.values()].flatMap(({ due, users, healthy, answeredMs, failures }) =>
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

/** The golden ratio: any number of steps lies evenly. */
const SPREAD = 0.618_034;
