/**
 * What of an edge's traffic the kernel forwards alone, kept as health, dials and closeness want it.
 *
 *   config, health, closeness ─► kernelEntries ─► differs? ─► forwarder.lead          one after another, what came meanwhile together
 *                                     └ reasons: what this process forwards instead, logged once each
 *
 * The places stay open in this process: what the kernel does not take comes there. Deviations from flows of this process: no suspicion comes from traffic, so
 * that checks alone find out who is dead; flows of an endpoint that was removed go elsewhere at once; new flows are not counted.
 */

import { HostError } from "../base/errors.ts";
import { addTraffic } from "../base/traffic.ts";
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { Target } from "./balance.ts";
import type { EdgeConfig } from "./edge-config.ts";
import { type Known, kernelEntries, type PlacedEntry } from "./kernel-entries.ts";
import type { KernelBackend, KernelForwarder } from "./kernel-forwarder.ts";
import type { FlowObservation, ListenerObservation, PlaneObservation } from "./observation.ts";

/** Tuning: what could not be done is tried again, and what holds is looked at, so often. */
const RETRY_MS: Millis = 1000;
const REPAIR_MS: Millis = 30_000;

export class KernelWay {
  readonly counters = { kernelChanges: 0, kernelFailures: 0, kernelRepairs: 0 };
  readonly #forwarder: KernelForwarder;
  readonly #log: Log;
  /** Of the configuration that it was led to last; −1: of none. */
  revision = -1;
  #placed: readonly PlacedEntry[] = [];
  #reasons = new Map<string, string>();
  #held = "";
  #wanted: (() => { readonly config: EdgeConfig; readonly known: Known }) | undefined;
  #leading: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #repair: NodeJS.Timeout;

  constructor(forwarder: KernelForwarder, log: Log) {
    this.#forwarder = forwarder;
    this.#log = log;
    this.#repair = setInterval(() => void this.#look(), REPAIR_MS);
  }

  get kind(): string {
    return this.#forwarder.kind;
  }

  /** By "accelerator listener". */
  get reasons(): ReadonlyMap<string, string> {
    return this.#reasons;
  }

  /** What is wanted may have changed: `ask` is called when it is its turn. Settles once the kernel has it, or cannot; never rejects. */
  lead(ask: () => { readonly config: EdgeConfig; readonly known: Known }): Promise<void> {
    this.#wanted = ask;
    this.#leading ??= this.#run().finally(() => {
      this.#leading = undefined;
    });
    return this.#leading;
  }

  async add(plane: PlaneObservation): Promise<PlaneObservation> {
    if (this.#placed.length === 0) return plane;
    const counts = await this.#forwarder.counts();
    const sums = new Map<string, ListenerObservation>(plane.listeners.map((each) => [`${each.accelerator} ${each.listener}`, each]));
    for (const { entry, accelerator, listener } of this.#placed) {
      const sum = sums.get(`${accelerator.id} ${listener.id}`);
      const count = counts.get(entry.name);
      if (sum === undefined || count === undefined) continue;
      sum.flows += count.flows;
      addTraffic(sum.stats, count);
    }
    return plane;
  }

  async flows(limit: number): Promise<FlowObservation[]> {
    if (this.#placed.length === 0) return [];
    const byName = new Map(this.#placed.map((placed) => [placed.entry.name, placed]));
    return (await this.#forwarder.flows(limit)).flatMap(
      ({ entry, source, at, seenAs, backend, bytesIn, bytesOut, packetsIn, packetsOut, idleSeconds }) => {
        const placed = byName.get(entry);
        if (placed === undefined) return [];
        const target = targetOf(placed, backend, Number(at.slice(at.lastIndexOf(":") + 1)));
        const { accelerator, listener, balance } = placed;
        return {
          ...{ accelerator: accelerator.id, listener: listener.id, protocol: "UDP", way: "kernel" as const, source, at, seenAs },
          ...{ endpoint: backend, endpointId: target?.endpoint.id ?? "", region: target?.group.region ?? "" },
          // As it would be decided now: the kernel does not keep why.
          why: (target && balance.expected().get(target)?.reason) ?? "dial",
          ...{ bytesIn, bytesOut, packetsIn, packetsOut, idleSeconds },
        };
      },
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#repair);
    clearTimeout(this.#retry);
    this.#wanted = undefined;
    await this.#leading;
    clearTimeout(this.#retry);
    await this.#forwarder.close();
  }

  async #run(): Promise<void> {
    for (let ask = this.#wanted; ask !== undefined; ask = this.#wanted) {
      this.#wanted = undefined;
      const { config, known } = ask();
      const { placed, reasons } = kernelEntries(config, known);
      const possible = placed.filter(({ entry, accelerator, listener }) => {
        const reason = this.#forwarder.refuses(entry);
        if (reason !== undefined) reasons.set(`${accelerator.id} ${listener.id}`, reason);
        return reason === undefined;
      });
      this.#tell(reasons);
      const text = JSON.stringify(possible.map(({ entry }) => entry));
      if (text === this.#held) {
        this.#placed = possible;
        this.revision = config.revision;
        continue;
      }
      try {
        await this.#forwarder.lead(possible.map(({ entry }) => entry));
        this.#placed = possible;
        this.#held = text;
        this.revision = config.revision;
        this.counters.kernelChanges++;
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.counters.kernelFailures++;
        this.#log.error({ reason: error.message }, "the kernel does not take what is to be forwarded; it keeps what it has, tried again");
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => void this.lead(ask), RETRY_MS);
      }
    }
  }

  #tell(reasons: Map<string, string>): void {
    for (const [listener, reason] of reasons)
      if (this.#reasons.get(listener) !== reason) this.#log.info({ listener, reason }, "this process forwards it, not the kernel");
    this.#reasons = reasons;
  }

  async #look(): Promise<void> {
    try {
      const wrong = await this.#forwarder.repair();
      if (wrong === undefined) return;
      this.counters.kernelRepairs++;
      this.#log.warn({ wrong }, "what the kernel is to forward was not there, put back");
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#log.error({ reason: error.message }, "what the kernel is to forward cannot be looked at or put back");
    }
  }
}

/** Of an entry's backends the one at this place, for a flow that came in at `port`. */
function targetOf({ entry: { backends }, targets }: PlacedEntry, backend: string, port: number): Target | undefined {
  const place = ({ host, port: own = port }: KernelBackend): string => (host.includes(":") ? `[${host}]:${own}` : `${host}:${own}`);
  return targets[backends.findIndex((each) => place(each) === backend)];
}
