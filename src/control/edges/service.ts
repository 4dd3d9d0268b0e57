/** All that control does for edges, behind one door: whoever keeps the store starts it and says when something has changed. */
import type { Log } from "../../host/log.ts";
import type { EdgeReports } from "../accelerator/context.ts";
import type { Seal } from "../seal.ts";
import type { Database } from "../store/database.ts";
import { Authority } from "./authority.ts";
import { EdgeServer } from "./edge-server.ts";
import { type EdgeSource, Feed } from "./feed.ts";
import { JoinTokens } from "./join-tokens.ts";
import { EdgeRegistry } from "./registry.ts";

export interface EdgeServiceOptions {
  readonly database: Database;
  readonly seal: Seal;
  readonly source: EdgeSource;
  readonly host: string;
  readonly port: number;
  /** By which edges reach this process. */
  readonly names: readonly string[];
  readonly log: Log;
}

export interface EdgeService {
  readonly reports: EdgeReports;
  readonly registry: EdgeRegistry;
  readonly port: number;
  /** Edges that are linked to this process. */
  connected(): readonly string[];
  counters(): Record<string, number>;
  /** This process has changed something: it need not wait until that is noticed. */
  notify(): void;
  close(): Promise<void>;
}

/** How often changes by other processes are looked for: one row of the store. */
const POLL_MS = 100;
const SWEEP_MS = 3_600_000;

/** @throws HostError (as a rejection) when the address cannot be bound */
export async function startEdgeService({ database, seal, source, host, port, names, log }: EdgeServiceOptions): Promise<EdgeService> {
  const authority = await Authority.open(database, seal, Date.now());
  const registry = new EdgeRegistry(database);
  const tokens = new JoinTokens(database);
  const feed = new Feed(source, log, POLL_MS);
  await feed.look();
  const server = await EdgeServer.listen({ feed, registry, authority, tokens, log, host, port, names, now: Date.now });
  const sweep = setInterval(() => void tokens.sweep(Date.now()).catch(() => {}), SWEEP_MS);
  return {
    reports: registry,
    registry,
    port: server.port,
    connected: () => server.connected,
    counters: () => ({ ...server.counters, ...feed.counters }),
    notify: () => void feed.look(),
    close: async () => {
      clearInterval(sweep);
      feed.close();
      await server.close();
    },
  };
}
