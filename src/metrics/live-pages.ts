/** What the pages show of a live origin, alone or beside a tunnel in the same process. */
import type { Status } from "../live/status.ts";
import { processFamilies } from "./families.ts";
import { liveFamilies } from "./live-families.ts";
import type { Watched } from "./pages.ts";
import type { ProcessFacts } from "./process-facts.ts";

/** /status is the origin's own (live/status.ts). */
export function watchedOrigin(status: () => Status, facts: () => ProcessFacts): Watched {
  return {
    families: async () => [...processFamilies(facts(), "live"), ...liveFamilies(status())],
    status: async () => status(),
  };
}

/** /status is the tunnel's, with the origin's in `live`. */
export function watchedBoth(tunnel: Watched, status: () => Status): Watched {
  return {
    families: async () => {
      const families = await tunnel.families();
      return families === undefined ? undefined : [...families, ...liveFamilies(status())];
    },
    status: async (session) => {
      const own = await tunnel.status(session);
      return own === undefined ? undefined : { ...own, live: status() };
    },
  };
}
