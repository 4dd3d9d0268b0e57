/**
 * An edge: threads that move the traffic, and beside them, on the main thread, what they need to know.
 *
 *   take(config) ─► names ─► health ─► threads (edge-worker): places, flows
 *                    └─ look-ups       └─ checks; what changes goes to all threads at once        ◄─ suspicions of the threads' traffic
 */

import { fromHex } from "../base/hex.ts";
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import { probe } from "../host/probe.ts";
import { type ProbeOutcome, SILENT } from "../host/probe-outcome.ts";
import { SystemResolver } from "../host/resolver.ts";
import type { LoopWorker } from "../host/worker.ts";
import type { WorkerCounters } from "../host/worker-port.ts";
import type { EdgeConfig } from "./edge-config.ts";
import type { EdgeCommand, EdgeMessage, LoggedFlows } from "./edge-messages.ts";
import { LOGGED_MAX } from "./ended-flows.ts";
import { EndpointNames } from "./endpoint-names.ts";
import { type Ask, type EndpointHealth, HealthWatch, standingKey } from "./health-watch.ts";
import type { KernelWay } from "./kernel-way.ts";
import { type FlowObservation, merge, type PlaneObservation } from "./observation.ts";
import type { Problem } from "./plane.ts";

export interface EdgeThreads {
  /** Starts thread `index`. */
  start(index: number, onMessage: (message: EdgeMessage) => void): LoopWorker<EdgeCommand>;
  readonly count: number;
  /** Once all of them have ended. */
  ended?(): void;
}

/** Tuning: how exactly checks are on time. */
const TICK_LEAST: Millis = 5;
const TICK_MOST: Millis = 1000;
const CHECKS_AT_ONCE = 1024;

export class Edge {
  readonly health = new HealthWatch();
  readonly names = new EndpointNames(new SystemResolver());
  readonly counters = { configurations: 0, checksDelayed: 0 };
  config: EdgeConfig = { revision: 0, accelerators: [] };
  readonly #threads: LoopWorker<EdgeCommand>[];
  readonly #ended: () => void;
  readonly #log: Log;
  readonly #turned: () => void;
  readonly kernel: KernelWay | undefined;
  readonly #applied = new Map<number, { left: number; problems: Map<string, Problem>; settle: (problems: Problem[]) => void }>();
  readonly #asked = new Map<number, { left: number; flows: FlowObservation[]; settle: (flows: FlowObservation[]) => void }>();
  readonly #logging = new Map<number, { left: number; answers: LoggedFlows[]; settle: (answers: LoggedFlows[]) => void }>();
  #checking = 0;
  #nextId = 0;
  #timer: NodeJS.Timeout | undefined;
  #tickAt: Millis = 0;
  #closed = false;

  /** `turned`: called when an endpoint's health, or what is served, has changed. `kernel`: forwards what it can, without the threads; closed with the edge. */
  constructor(threads: EdgeThreads, log: Log, turned: () => void = () => {}, kernel?: KernelWay) {
    this.kernel = kernel;
    this.#log = log;
    this.#turned = turned;
    this.#ended = () => threads.ended?.();
    this.#threads = Array.from({ length: threads.count }, (_, i) => threads.start(i, (message) => this.#heard(message)));
    for (const thread of this.#threads) thread.ended.catch(() => {});
  }

  /** Rejects when a thread died of an error. */
  get ended(): Promise<unknown> {
    return Promise.all(this.#threads.map(({ ended }) => ended));
  }

  /** Serves this from now on. Answers what could not be opened, once all threads have done what they can. */
  async take(config: EdgeConfig): Promise<Problem[]> {
    const now = performance.now();
    this.config = config;
    this.counters.configurations++;
    this.names.want(config, now);
    this.health.watch(config, now);
    const id = this.#nextId++;
    const done = new Promise<Problem[]>((settle) => this.#applied.set(id, { left: this.#threads.length, problems: new Map(), settle }));
    this.#tell({ kind: "stand", changes: this.health.standings() });
    this.#tell({ kind: "arrange", regions: this.health.closeness.regions });
    this.#tell({ kind: "config", id, config, addresses: this.names.addresses });
    this.#tick();
    const [problems] = await Promise.all([done, this.#lead()]);
    return problems;
  }

  async observe(): Promise<{ readonly plane: PlaneObservation; readonly threads: readonly WorkerCounters[] }> {
    const threads = (await Promise.all(this.#threads.map((thread) => thread.counters()))).filter((answer) => answer !== undefined);
    const plane = merge(threads.map(({ program }) => program as PlaneObservation));
    return { plane: this.kernel === undefined ? plane : await this.kernel.add(plane), threads };
  }

  /** At most so many, of all threads and of the kernel. */
  async flows(limit: number): Promise<FlowObservation[]> {
    const id = this.#nextId++;
    const flows = await new Promise<FlowObservation[]>((settle) => {
      this.#asked.set(id, { left: this.#threads.length, flows: [], settle });
      this.#tell({ kind: "flows", id, limit });
    });
    return [...flows, ...((await this.kernel?.flows(limit)) ?? [])].slice(0, limit);
  }

  /** Of accelerators with flow logs: what runs, and what has ended since the last time. */
  async logged(): Promise<LoggedFlows> {
    const id = this.#nextId++;
    const answers = await new Promise<LoggedFlows[]>((settle) => {
      this.#logging.set(id, { left: this.#threads.length, answers: [], settle });
      this.#tell({ kind: "log", id });
    });
    const wanted = new Set(this.config.accelerators.filter(({ flowLogs }) => flowLogs !== undefined).map(({ id }) => id));
    const kernel = ((await this.kernel?.flows(LOGGED_MAX)) ?? []).filter(({ accelerator }) => wanted.has(accelerator));
    return {
      running: [...answers.flatMap(({ running }) => running), ...kernel],
      ended: answers.flatMap(({ ended }) => ended),
      skipped: answers.reduce((sum, { skipped }) => sum + skipped, 0),
    };
  }

  /** An endpoint answers, or may (none was asked yet), or there is none to be asked. */
  get canServe(): boolean {
    const list = this.health.list();
    return list.length === 0 || list.some(({ healthy }) => healthy !== false);
  }

  endpoints(): EndpointHealth[] {
    return this.health.list();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#tell({ kind: "stop" });
    await Promise.allSettled(this.#threads.map(({ ended }) => ended));
    await this.kernel?.close();
    this.#ended();
  }

  #tell(command: EdgeCommand): void {
    for (const thread of this.#threads) thread.post(command);
  }

  #heard(message: EdgeMessage): void {
    switch (message.kind) {
      case "applied": {
        const round = this.#applied.get(message.id);
        if (round === undefined) return;
        for (const problem of message.problems) round.problems.set(problem.place, problem);
        if (--round.left > 0) return;
        this.#applied.delete(message.id);
        this.#turned();
        round.settle([...round.problems.values()]);
        return;
      }
      case "suspect":
        if (this.health.suspect(message.key, performance.now())) this.#tick();
        return;
      case "flows": {
        const round = this.#asked.get(message.id);
        if (round === undefined) return;
        round.flows.push(...message.flows);
        if (--round.left > 0) return;
        this.#asked.delete(message.id);
        round.settle(round.flows);
        return;
      }
      case "logged": {
        const round = this.#logging.get(message.id);
        if (round === undefined) return;
        round.answers.push(message);
        if (--round.left > 0) return;
        this.#logging.delete(message.id);
        round.settle(round.answers);
      }
    }
  }

  /** Makes the checks that are due, and comes again for the next ones. */
  #tick(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const now = performance.now();
    this.names.refresh(now, () => this.#renamed());
    if (this.#checking < CHECKS_AT_ONCE) for (const ask of this.health.due(now)) void this.#check(ask);
    else this.counters.checksDelayed++;
    this.#tickIn(Math.min(TICK_MOST, Math.max(TICK_LEAST, this.health.deadline() - now)), now);
  }

  #tickIn(ms: Millis, now: Millis): void {
    this.#tickAt = now + ms;
    this.#timer = setTimeout(() => this.#tick(), ms);
  }

  async #check(ask: Ask): Promise<void> {
    this.#checking++;
    const outcome = await this.#probe(ask);
    this.#checking--;
    const now = performance.now();
    const { change, moved } = this.health.outcome(ask.key, outcome, now);
    if (this.#closed) return;
    // Its next turn was not known when the timer was set.
    const next = Math.max(now + TICK_LEAST, this.health.deadline());
    if (next < this.#tickAt) {
      clearTimeout(this.#timer);
      this.#tickIn(next - now, now);
    }
    if (moved) this.#tell({ kind: "arrange", regions: this.health.closeness.regions });
    if (moved || change !== undefined) void this.#lead();
    if (change === undefined) return;
    this.#tell({ kind: "stand", changes: [change] });
    this.#turned();
    const { healthy, dead } = change;
    this.#log[healthy ? "info" : "warn"]({ endpoint: ask.host, port: ask.port, healthy, dead, why: outcome.failure }, "an endpoint turned");
  }

  async #probe(ask: Ask): Promise<ProbeOutcome> {
    const { check, host, port } = ask;
    const address = this.names.address(host);
    if (address === undefined) return SILENT;
    const kind = check.protocol.toLowerCase() as Lowercase<typeof check.protocol>;
    const payload = fromHex(check.payload);
    return probe({ kind, host: address, port, payload, path: check.path, name: host, timeout: this.health.timeout(ask) });
  }

  /** What the kernel forwards alone follows from all that the threads were told. */
  async #lead(): Promise<void> {
    const { health, names } = this;
    await this.kernel?.lead(() => ({
      config: this.config,
      known: {
        standing: ({ check }, endpoint) => health.standing(standingKey(check, endpoint)) ?? { healthy: false, dead: false },
        address: (host) => names.addresses[host],
        rank: (region) => health.closeness.rank(region),
      },
    }));
  }

  #renamed(): void {
    void this.#lead();
    this.#tell({ kind: "config", id: this.#nextId++, config: this.config, addresses: this.names.addresses });
  }
}
