/**
 * What a running tunnel shows: its metrics where option metrics says, and a socket of this user's by which `longhaul top` finds it.
 *
 * Both serve the same pages from the main thread. The loop's threads are asked at most once a second and question (observer.ts).
 */
import type { HttpServer } from "../host/http.ts";
import type { Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import type { AskWorkers } from "../metrics/observer.ts";
import type { Watched } from "../metrics/pages.ts";
import type { ProcessFacts } from "../metrics/process-facts.ts";
import { processFacts, serveLocal, serveMetrics } from "./metrics-server.ts";
import type { RunningTunnel, TunnelEnd } from "./tunnel.ts";

/** Sessions, streams and users told of in one answer. */
const SESSIONS_MAX = 1000;
const STREAMS_MAX = 200;
const USERS_MAX = 1000;

export class Watch {
  readonly #end: TunnelEnd;
  readonly #log: Log;
  readonly #servers: HttpServer<Endpoint>[] = [];
  #tunnel: RunningTunnel | undefined;
  #watched: Promise<Watched> | undefined;

  private constructor(end: TunnelEnd, log: Log) {
    this.#end = end;
    this.#log = log;
  }

  /** Serves metrics if they are asked for. @throws HostError when their address cannot be bound */
  static async open(end: TunnelEnd, log: Log): Promise<Watch> {
    const watch = new Watch(end, log);
    if (end.config.metrics === "") return watch;
    const server = await serveMetrics(await watch.#watch(), end.config.metrics);
    if (server === undefined) return watch;
    watch.#servers.push(server);
    log.info({ ...server.local }, "metrics are served");
    return watch;
  }

  /** Until then the pages answer 503. */
  attach(tunnel: RunningTunnel): void {
    this.#tunnel = tunnel;
  }

  /** Lets `longhaul top` find this process. */
  async openLocal(): Promise<void> {
    const { role, config } = this.#end;
    if (config.statussocket === "none") return;
    const server = await serveLocal(await this.#watch(), role, config.statussocket, this.#log);
    if (server !== undefined) this.#servers.push(server);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  /** The same for both, so that they share what the workers answered. */
  #watch(): Promise<Watched> {
    const { role, config } = this.#end;
    const at = role === "client" ? config.localaddr : config.listen;
    const to = role === "client" ? config.remoteaddr : config.target;
    const facts = (): ProcessFacts => processFacts({ io: this.#tunnel?.io.kind ?? "", at, to }, () => this.#drops);
    const ask: AskWorkers = (questions) => this.#tunnel?.ask(questions) ?? Promise.resolve([]);
    this.#watched ??= watchTunnel(ask, facts, config);
    return this.#watched;
  }

  get #drops(): number {
    return this.#servers.reduce((sum, { counters }) => sum + counters.connectionsDropped, 0);
  }
}

/** The options say how many sessions and users have metrics of their own. */
export async function watchTunnel(
  ask: AskWorkers,
  facts: () => ProcessFacts,
  { metricsessions, metricusers = 0 }: { readonly metricsessions: number; readonly metricusers?: number },
): Promise<Watched> {
  const { watchedTunnel } = await import("../metrics/tunnel-pages.ts");
  const { Observer } = await import("../metrics/observer.ts");
  const observer = new Observer({
    ask,
    now: () => performance.now(),
    ...{ sessionsMax: SESSIONS_MAX, streamsMax: STREAMS_MAX, usersMax: USERS_MAX },
  });
  return watchedTunnel({ observer, facts, wallClock: Date.now, series: { sessionsMax: metricsessions, usersMax: metricusers } });
}
