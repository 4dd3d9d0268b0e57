/** What the pages show of a tunnel. */
import { families, type SeriesLimits } from "./families.ts";
import type { Observer } from "./observer.ts";
import type { Watched } from "./pages.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { statusOf } from "./status.ts";

export interface TunnelPagesOptions {
  readonly observer: Observer;
  readonly facts: () => ProcessFacts;
  /** Unix ms. */
  readonly wallClock: () => number;
  /** Sessions that get series of their own in /metrics. */
  readonly series: SeriesLimits;
}

export function watchedTunnel({ observer, facts, wallClock, series }: TunnelPagesOptions): Watched {
  return {
    families: async () => {
      const observation = await observer.observe();
      return observation === undefined ? undefined : families(observation, facts(), series);
    },
    status: async (session) => {
      const observation = await observer.observe(session);
      return observation === undefined ? undefined : statusOf(observation, facts(), wallClock());
    },
  };
}
