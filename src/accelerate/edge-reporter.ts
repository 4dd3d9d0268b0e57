/** What an edge tells control of itself, every second: totals, and health of endpoints as far as it changed. */
import type { Edge } from "./edge.ts";
import type { EdgeReport, EndpointReport } from "./edge-stream.ts";
import { standingKey } from "./health-watch.ts";
import { totals } from "./observation.ts";

export class EdgeReporter {
  readonly #edge: Edge;
  readonly #told = new Map<string, EndpointReport["state"]>();
  #lookedAt = "";

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
    return { health: this.#health(whole), whole, regions, flows, newFlows, bytesIn, bytesOut, serving: this.#edge.canServe };
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
