/** What an edge tells control of itself, every second: totals, and health of endpoints as far as it changed. */
import type { Edge } from "./edge.ts";
import { type EdgeReport, type EndpointReport, type FlowSample, SAMPLE_MAX } from "./edge-stream.ts";
import { standingKey } from "./health-watch.ts";
import { totals } from "./observation.ts";

/** Flows are looked at in one report of so many, and not more than so many of them. */
const SAMPLE_EVERY = 3;
const LOOKED_AT_MAX = 2000;

export class EdgeReporter {
  readonly #edge: Edge;
  readonly #told = new Map<string, EndpointReport["state"]>();
  #lookedAt = "";
  #reports = 0;
  #sample: FlowSample[] = [];
  #seen = new Map<string, number>();

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  async report(whole: boolean): Promise<EdgeReport> {
    const { plane } = await this.#edge.observe();
    const { flows, newFlows, bytesIn, bytesOut } = totals(plane);
    const { closeness } = this.#edge.health;
    const regions = closeness.regions.map((region) => {
      const milliseconds = closeness.distance(region);
      return milliseconds === undefined ? { region } : { region, milliseconds };
    });
    const sample = await this.#sampled();
    return { health: this.#health(whole), whole, regions, flows, newFlows, bytesIn, bytesOut, serving: this.#edge.canServe, sample };
  }

  /** Those with the most bytes since they were looked at last, among as many as are looked at. */
  async #sampled(): Promise<FlowSample[]> {
    if (this.#reports++ % SAMPLE_EVERY !== 0) return this.#sample;
    const before = this.#seen;
    const flows = (await this.#edge.flows(LOOKED_AT_MAX)).map((flow) => {
      const key = `${flow.protocol} ${flow.source} ${flow.at}`;
      const bytes = flow.bytesIn + flow.bytesOut;
      return { flow, key, bytes, moved: bytes - (before.get(key) ?? 0) };
    });
    this.#seen = new Map(flows.map(({ key, bytes }) => [key, bytes]));
    this.#sample = flows
      .sort((a, b) => b.moved - a.moved)
      .slice(0, SAMPLE_MAX)
      .map(({ flow: { protocol, way, source, at, endpoint, region, why, bytesIn, bytesOut, idleSeconds } }) => {
        return { protocol, way, source, at, endpoint, region, why, bytesIn, bytesOut, idleSeconds: Math.max(0, idleSeconds) };
      });
    return this.#sample;
  }

  #health(whole: boolean): EndpointReport[] {
    const { health, config } = this.#edge;
    if (whole) this.#told.clear();
    const { turnedHealthy, turnedUnhealthy } = health.counters;
    // Nothing has turned since the last look: ten thousand endpoints need not be gone through.
    const look = `${config.revision} ${turnedHealthy} ${turnedUnhealthy}`;
    if (!whole && look === this.#lookedAt) return [];
    this.#lookedAt = look;
    const known = new Map(health.list().map(({ key, healthy }) => [key, healthy]));
    const changes: EndpointReport[] = [];
    for (const { listeners } of config.accelerators)
      for (const { groups } of listeners)
        for (const { id: group, check, endpoints } of groups)
          for (const endpoint of endpoints) {
            const healthy = known.get(standingKey(check, endpoint));
            const state = healthy === undefined ? "INITIAL" : healthy ? "HEALTHY" : "UNHEALTHY";
            const key = `${group} ${endpoint.id}`;
            if (this.#told.get(key) === state) continue;
            this.#told.set(key, state);
            changes.push({ group, endpoint: endpoint.id, state });
          }
    return changes;
  }
}
