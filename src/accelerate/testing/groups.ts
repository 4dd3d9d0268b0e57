/** Groups and their health, for tests: as short to write as they are to say. */
import { Balance, type Standing } from "../balance.ts";
import { type GroupConfig, group } from "../edge-config.ts";

/** `endpoints`: weights by id. */
export function groupOf(region: string, endpoints: Readonly<Record<string, number>>, dial = 100): GroupConfig {
  return group.parse({
    ...{ id: `group-${region}`, region, dial, check: { port: 80 } },
    endpoints: Object.entries(endpoints).map(([id, weight]) => ({ id, host: "192.0.2.1", weight })),
  });
}

/** All are healthy but those of `sick`, which may change. */
export function balanceOf(groups: readonly GroupConfig[], sick: ReadonlySet<string> = new Set()): Balance {
  return new Balance(
    groups,
    (_group, { id }): Standing => ({
      get healthy() {
        return !sick.has(id);
      },
      dead: false,
    }),
  );
}
