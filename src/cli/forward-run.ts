/** `longhaul forward run`: keeps what shall be, checks backends, tells what happens; with the userspace datapath it moves the datagrams as well. */
import type { z } from "zod";
import { HostError } from "../base/errors.ts";
import type { Capture } from "../forward/datapath.ts";
import type { Forward } from "../forward/forward.ts";
import type { Forwarder } from "../forward/forwarder.ts";
import { Health } from "../forward/health.ts";
import { formatAddress } from "../forward/ip-range.ts";
import type { PortRange } from "../forward/listen.ts";
import { SipMedia } from "../forward/sip-media.ts";
import { sparePorts } from "../forward/source-ports.ts";
import { examine } from "../forward/surroundings.ts";
import { type HttpServer, serveHttp } from "../host/http.ts";
import { instancePath } from "../host/instances.ts";
import { createLog, type Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import { probe } from "../host/probe.ts";
import { lockStateFile } from "../host/state-file.ts";
import { processFamilies } from "../metrics/families.ts";
import { forwardFamilies } from "../metrics/forward-families.ts";
import { pages, type Watched } from "../metrics/pages.ts";
import { controlPages, INSTANCE, Remote } from "./forward-control.ts";
import { clearOthers, openDatapath } from "./forward-datapaths.ts";
import type { runConfig } from "./forward-options.ts";
import { newForwarder, readState, statePath } from "./forward-place.ts";
import { processFacts, serveMetrics } from "./metrics-server.ts";
import { onStop } from "./signals.ts";

type RunConfig = z.output<typeof runConfig>;

export async function runForward(config: RunConfig): Promise<number> {
  const log = createLog("info").child({ module: "forward" });
  const path = statePath(config.state);
  const other = await Remote.find(path);
  if (other !== undefined) throw new HostError("EBUSY", "forward run", `${path}, by process ${other.place.pid}`);
  const state = readState(path);
  const { datapath, reasons } = await openDatapath(config.datapath, { log, stays: true, flowsMax: config.flows, state });
  const forwarder = newForwarder(datapath, path, state);
  const health = new Health();
  const media = new SipMedia();
  const servers: HttpServer<Endpoint>[] = [];
  let stopped: (signal: string) => void = () => undefined;
  const stop = new Promise<string>((settle) => {
    stopped = settle;
  });
  const off = onStop((signal) => stopped(signal));
  const timers = new Timers();
  try {
    // What is kept is what an earlier process applied, if it still is there.
    const { summary, milliseconds } = await lockStateFile(path, () => forwarder.start(state));
    await clearOthers(datapath.kind, log);
    log.info(
      {
        datapath: datapath.kind,
        ...(reasons.length > 0 ? { because: reasons } : {}),
        forwards: state.forwards.size,
        summary,
        milliseconds,
      },
      "forwarding",
    );
    for (const { level, text, fix } of examine(state, datapath.kind))
      log[level === "error" ? "error" : "warn"](fix === undefined ? {} : { sysctl: `${fix.name}=${fix.value}` }, text);
    warnOfRefused(forwarder, log);
    const watched = watchedForwarder(forwarder, health, media, config, servers);
    servers.push(
      await serveHttp(controlPages(forwarder, path, reasons).route("/", pages(watched)).fetch, {
        path: instancePath(INSTANCE, process.pid),
        mode: 0o600,
      }),
    );
    const metrics = await serveMetrics(watched, config.metrics);
    if (metrics !== undefined) servers.push(metrics);
    const checker = new Checker(forwarder, health, timers, log);
    checker.run();
    new MediaWatch(forwarder, media, log).run(timers);
    timers.every(config.verify * 1000, () => repair(forwarder, log));
    const signal = await stop;
    const keep = datapath.capabilities.outlivesProcess;
    log.info({ signal, keep, ...forwarder.counters }, keep ? "stopping; the kernel forwards on" : "stopping");
    return 0;
  } finally {
    off();
    timers.stop();
    // Also when it could not be started: what is open would keep the process alive.
    await forwarder.close(true);
    for (const server of servers) await server.close();
  }
}

/** What is kept may not be possible just now, such as a backend whose route comes later. */
function warnOfRefused({ state, datapath }: Forwarder, log: Log): void {
  let told = 0;
  for (const forward of state.forwards.values()) {
    const reason = forward.state === "off" ? undefined : datapath.refuses(forward);
    if (reason === undefined) continue;
    log.warn({ forward: forward.name, reason }, "not possible with this datapath");
    if (++told === WARNINGS_MAX) return;
  }
}

async function repair(forwarder: Forwarder, log: Log): Promise<void> {
  try {
    const wrong = await forwarder.repair();
    if (wrong !== undefined) log.warn({ wrong, repaired: forwarder.counters.repaired }, "what shall be was not there, put back");
  } catch (error) {
    log.error({ reason: (error as Error).message }, "what shall be cannot be looked at or put back");
  }
}

/** Sends the checks that are due, and changes weights when a backend turned. */
class Checker {
  readonly #forwarder: Forwarder;
  readonly #health: Health;
  readonly #timers: Timers;
  readonly #log: Log;

  constructor(forwarder: Forwarder, health: Health, timers: Timers, log: Log) {
    this.#forwarder = forwarder;
    this.#health = health;
    this.#timers = timers;
    this.#log = log;
  }

  run(): void {
    let revision = -1;
    let from: PortRange | undefined;
    this.#timers.every(TICK_MS, async () => {
      const now = performance.now();
      const { state } = this.#forwarder;
      if (state.revision !== revision) {
        revision = state.revision;
        this.#health.watch(state.forwards.values(), now);
        // The program knows nothing of this machine's sockets.
        if (this.#forwarder.datapath.kind === "xdp") from = sparePorts(state.forwards.values());
      }
      for (const { key, check, backend, port } of this.#health.due(now)) {
        const host = formatAddress(backend.family, backend.address);
        const wanted = { kind: check.kind, host, port, payload: check.payload, timeout: check.timeoutSeconds * 1000, from };
        void probe(wanted).then(({ took }) => this.#outcome(key, took));
      }
    });
  }

  async #outcome(key: string, answeredMs: number | undefined): Promise<void> {
    if (!this.#health.outcome(key, answeredMs, performance.now())) return;
    const down = this.#health.list().filter(({ healthy }) => !healthy);
    this.#log.warn({ check: key, healthy: answeredMs !== undefined, down: down.length }, "a backend turned");
    try {
      await this.#forwarder.reweigh((forward) => this.#health.weigh(forward));
    } catch (error) {
      this.#log.error({ reason: (error as Error).message }, "weights cannot be changed");
    }
  }
}

/** Looks at the SIP of forwards that learn media ports, and opens and closes what follows from it. */
class MediaWatch {
  readonly #forwarder: Forwarder;
  readonly #media: SipMedia;
  readonly #log: Log;
  readonly #captures = new Map<string, { readonly forward: Forward; readonly capture: Capture }>();

  constructor(forwarder: Forwarder, media: SipMedia, log: Log) {
    this.#forwarder = forwarder;
    this.#media = media;
    this.#log = log;
  }

  run(timers: Timers): void {
    timers.every(TICK_MS, () => this.#watch());
    timers.every(SWEEP_MS, async () => {
      if (this.#media.forwards.length === 0) return;
      const stats = await this.#forwarder.datapath.stats();
      if (this.#media.sweep(stats, new Set(this.#captures.keys()), performance.now())) await this.#apply();
    });
  }

  /** A capture for each forward that learns. */
  async #watch(): Promise<void> {
    const { forwards } = this.#forwarder.state;
    for (const [name, { forward, capture }] of this.#captures) {
      if (forwards.get(name)?.text === forward.text) continue;
      this.#captures.delete(name);
      await capture.stop();
    }
    for (const forward of forwards.values()) {
      if (!forward.sip || forward.state === "off" || this.#captures.has(forward.name)) continue;
      const options = { forward: forward.name, oneIn: 1, bytesMax: MESSAGE_BYTES_MAX, sip: true };
      try {
        const capture = await this.#forwarder.datapath.capture(options, (packet) => {
          if (this.#media.packet(forward, packet, performance.now())) void this.#apply();
        });
        this.#captures.set(forward.name, { forward, capture });
      } catch (error) {
        // Removed meanwhile; otherwise it is tried again at the next tick.
        if (!(error instanceof HostError)) throw error;
      }
    }
  }

  async #apply(): Promise<void> {
    try {
      await this.#forwarder.extend(this.#media.forwards);
    } catch (error) {
      this.#log.error({ reason: (error as Error).message }, "media ports cannot be opened or closed");
    }
  }
}

/** Periodic work that never overlaps itself. */
class Timers {
  readonly #timers = new Set<NodeJS.Timeout>();

  every(ms: number, work: () => Promise<void>): void {
    let working = false;
    const timer = setInterval(() => {
      if (working) return;
      working = true;
      void work().finally(() => {
        working = false;
      });
    }, ms);
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
  }
}

function watchedForwarder(
  forwarder: Forwarder,
  health: Health,
  media: SipMedia,
  config: RunConfig,
  servers: readonly HttpServer<Endpoint>[],
): Watched {
  const facts = () =>
    processFacts({ io: forwarder.datapath.kind, at: statePath(config.state), to: "" }, () =>
      servers.reduce((sum, { counters }) => sum + counters.connectionsDropped, 0),
    );
  return {
    families: async () => [
      ...processFamilies(facts(), "forward"),
      ...forwardFamilies(
        { stats: await forwarder.datapath.stats(), forwarder, health: health.list(), more: media.counters },
        config.forwardseries,
      ),
    ],
    status: async () => {
      const { forwards, counters } = await forwarder.datapath.stats();
      return {
        ...facts(),
        role: "forward",
        datapath: forwarder.datapath.kind,
        revision: forwarder.state.revision,
        forwards: Object.fromEntries(forwards),
        counters: { ...counters, ...forwarder.counters, ...health.counters, ...media.counters },
        health: health.list(),
      };
    },
  };
}

/** Of one kind, at start. */
const WARNINGS_MAX = 20;
/** A SIP message in UDP is not longer. */
const MESSAGE_BYTES_MAX = 65_535;
const SWEEP_MS = 5000;
/** Tuning: how exactly checks are on time. */
const TICK_MS = 100;
