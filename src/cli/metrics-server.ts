/** Serves the pages of those who watch (metrics/pages.ts) where option metrics says. */
import { HostError } from "../base/errors.ts";
import type { HttpServer } from "../host/http.ts";
import { instancePath } from "../host/instances.ts";
import type { Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import type { Watched } from "../metrics/pages.ts";
import type { ProcessFacts } from "../metrics/process-facts.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { release } from "./release.ts";

/** Connections at once, of all who watch. */
const CONNECTIONS_MAX = 64;

/** What is needed for it is loaded late: a program that nobody watches starts sooner. @throws HostError when the address cannot be bound */
export async function servePages(watched: Watched, at: Endpoint, mode?: number): Promise<HttpServer<Endpoint>> {
  const { serveHttp } = await import("../host/http.ts");
  const { pages } = await import("../metrics/pages.ts");
  return serveHttp(pages(watched).fetch, { ...at, connectionsMax: CONNECTIONS_MAX, ...(mode === undefined ? {} : { mode }) });
}

/** Undefined when option metrics is not given. @throws ConfigError, HostError */
export async function serveMetrics(watched: Watched, option: string): Promise<HttpServer<Endpoint> | undefined> {
  return option === "" ? undefined : servePages(watched, parseMetricsAddress(option));
}

/** Opens the socket for `longhaul top`, as option statussocket says. Without it all else works as well, so a failure is only told. */
export async function serveLocal(watched: Watched, name: string, option: string, log: Log): Promise<HttpServer<Endpoint> | undefined> {
  if (option === "none") return undefined;
  try {
    return await servePages(watched, { path: option === "auto" ? instancePath(name, process.pid) : option }, 0o600);
  } catch (error) {
    const reason = error instanceof HostError ? error.code : (error as Error).message;
    log.warn({ reason }, '"longhaul top" will not find this process by itself (option statussocket)');
    return undefined;
  }
}

/** `drops` counts connections dropped by the pages' own servers. */
export function processFacts(given: { readonly io: string; readonly at: string; readonly to: string }, drops: () => number): ProcessFacts {
  const { user, system } = process.cpuUsage();
  return {
    ...given,
    release: release(),
    node: process.versions.node,
    pid: process.pid,
    startedAt: Math.round(Date.now() / 1000 - process.uptime()),
    cpuSeconds: (user + system) / 1e6,
    rssBytes: process.memoryUsage.rss(),
    http: { connectionsDropped: drops() },
  };
}
