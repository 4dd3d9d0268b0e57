/**
 * What a running tunnel shows: its metrics where option metrics says, and a socket of this user's by which `longhaul top` finds it.
 *
 * Both serve the same pages from the main thread. The loop's threads are asked at most once a second and question (observer.ts).
 */
import type { Hono } from "hono";
import { HostError } from "../base/errors.ts";
import type { HttpServer } from "../host/http.ts";
import { instancePath } from "../host/instances.ts";
import type { Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import type { ProcessFacts } from "../metrics/process-facts.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { release } from "./release.ts";
import type { RunningTunnel, TunnelEnd } from "./tunnel.ts";

/** Sessions and streams told of in one answer, and connections at once. */
const SESSIONS_MAX = 1000;
const STREAMS_MAX = 200;
const CONNECTIONS_MAX = 64;

export class Watch {
  readonly #end: TunnelEnd;
  readonly #log: Log;
  readonly #servers: HttpServer<Endpoint>[] = [];
  #tunnel: RunningTunnel | undefined;
  #pages: Promise<Hono> | undefined;

  private constructor(end: TunnelEnd, log: Log) {
    this.#end = end;
    this.#log = log;
  }

  /** Serves metrics if they are asked for. @throws HostError when their address cannot be bound */
  static async open(end: TunnelEnd, log: Log): Promise<Watch> {
    const watch = new Watch(end, log);
    const { metrics } = end.config;
    if (metrics === "") return watch;
    const at = await watch.#serve(parseMetricsAddress(metrics));
    log.info("path" in at ? at : { host: at.host, port: at.port }, "metrics are served");
    return watch;
  }

  /** Until then the pages answer 503. */
  attach(tunnel: RunningTunnel): void {
    this.#tunnel = tunnel;
  }

  /** Opens the socket for `longhaul top`. Without it the tunnel works as well, so a failure is only told. */
  async openLocal(): Promise<void> {
    const { role, config } = this.#end;
    if (config.statussocket === "none") return;
    try {
      const path = config.statussocket === "auto" ? instancePath(role, process.pid) : config.statussocket;
      await this.#serve({ path }, 0o600);
    } catch (error) {
      const reason = error instanceof HostError ? error.code : (error as Error).message;
      this.#log.warn({ reason }, '"longhaul top" will not find this process by itself (option statussocket)');
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  async #serve(at: Endpoint, mode?: number): Promise<Endpoint> {
    // Loaded late: a tunnel that nobody watches starts sooner.
    const { serveHttp } = await import("../host/http.ts");
    this.#pages ??= this.#load();
    const { fetch } = await this.#pages;
    const server = await serveHttp(fetch, { ...at, connectionsMax: CONNECTIONS_MAX, ...(mode === undefined ? {} : { mode }) });
    this.#servers.push(server);
    return server.local;
  }

  async #load(): Promise<Hono> {
    const { pages } = await import("../metrics/pages.ts");
    const { Observer } = await import("../metrics/observer.ts");
    const observer = new Observer({
      ask: (questions) => this.#tunnel?.ask(questions) ?? Promise.resolve([]),
      now: () => performance.now(),
      sessionsMax: SESSIONS_MAX,
      streamsMax: STREAMS_MAX,
    });
    const facts = this.#facts();
    return pages({ observer, facts, wallClock: Date.now, seriesMax: this.#end.config.metricsessions });
  }

  #facts(): () => ProcessFacts {
    const { role, config } = this.#end;
    const fixed = {
      release: release(),
      node: process.versions.node,
      pid: process.pid,
      startedAt: Math.round(Date.now() / 1000 - process.uptime()),
      at: role === "client" ? config.localaddr : config.listen,
      to: role === "client" ? config.remoteaddr : config.target,
    };
    return () => {
      const { user, system } = process.cpuUsage();
      let connectionsDropped = 0;
      for (const { counters } of this.#servers) connectionsDropped += counters.connectionsDropped;
      const io = this.#tunnel?.io.kind ?? "";
      return { ...fixed, io, cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss(), http: { connectionsDropped } };
    };
  }
}
