/**
 * One account of N workers: counters and gauges add up, sessions stand in one list. A session's key is its worker's number and its own.
 *
 * Of what cannot be added: `sessionsMost` is at least what it was in any worker and at most their sum, which is what it says.
 */
import type { Millis } from "../base/units.ts";
import type { LoopCounters } from "../host/loop-counters.ts";
import type { Observation } from "../tunnel/observation.ts";
import type { SessionReport, StreamReport } from "../tunnel/report.ts";
import type { Counts, TunnelGauges, TunnelTotals } from "../tunnel/totals.ts";
import type { UserReport } from "../tunnel/user.ts";

/** What one worker answered. */
export interface WorkerObservation {
  readonly loop: LoopCounters;
  readonly cpuSeconds: number;
  readonly program: Observation;
}

export interface KeyedSession extends SessionReport {
  /** "worker.number", the same for as long as the session lives. */
  readonly key: string;
}

export interface MergedObservation {
  /** When the workers were asked, on the observer's clock. */
  readonly at: Millis;
  readonly totals: TunnelTotals;
  readonly sessions: readonly KeyedSession[];
  readonly streams: readonly StreamReport[];
  readonly users: readonly UserReport[];
  readonly workers: readonly { readonly cpuSeconds: number; readonly loop: LoopCounters }[];
}

/** `observations`, by worker, are not empty; they were asked for `at`. */
export function merge(at: Millis, observations: readonly WorkerObservation[]): MergedObservation {
  return {
    at,
    totals: observations.map(({ program }) => program.totals).reduce(addTotals),
    sessions: observations.flatMap(({ program }, worker) => program.sessions.map((one) => ({ ...one, key: sessionKey(worker, one.id) }))),
    streams: observations.flatMap(({ program }) => program.streams),
    users: mergeUsers(observations.map(({ program }) => program.users)),
    workers: observations.map(({ cpuSeconds, loop }) => ({ cpuSeconds, loop })),
  };
}

/** What a user has in each worker adds up; what it has used in all, every worker knows a moment ago or now. */
function mergeUsers(lists: readonly (readonly UserReport[])[]): UserReport[] {
  const all = new Map<string, UserReport>();
  for (const user of lists.flat()) {
    const known = all.get(user.name);
    if (known === undefined) all.set(user.name, user);
    else {
      const { name, quotaBytes, usedBytes, ...counts } = user;
      const sum = addCounts({ ...counts }, pick(known, Object.keys(counts))) as typeof counts;
      all.set(name, { ...sum, name, quotaBytes, usedBytes: Math.max(usedBytes, known.usedBytes) });
    }
  }
  return [...all.values()];
}

function pick(from: UserReport, keys: readonly string[]): Counts {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}

export function sessionKey(worker: number, id: number): string {
  return `${worker}.${id}`;
}

/** Undefined for what is no key. */
export function parseSessionKey(key: string): { readonly worker: number; readonly id: number } | undefined {
  const match = /^(\d{1,4})\.(\d{1,15})$/.exec(key);
  return match === null ? undefined : { worker: Number(match[1]), id: Number(match[2]) };
}

function addTotals(a: TunnelTotals, b: TunnelTotals): TunnelTotals {
  const modules = new Set([...Object.keys(a.counted), ...Object.keys(b.counted)]);
  return {
    role: a.role,
    counted: Object.fromEntries(Array.from(modules, (module) => [module, addCounts(a.counted[module] ?? {}, b.counted[module] ?? {})])),
    now: {
      ...(addCounts({ ...a.now }, { ...b.now }) as unknown as TunnelGauges),
      fecNewestGroup: Math.max(a.now.fecNewestGroup, b.now.fecNewestGroup),
    },
    rtt: { counts: a.rtt.counts.map((count, i) => count + b.rtt.counts[i]!), sumMs: a.rtt.sumMs + b.rtt.sumMs },
  };
}

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
