/** One end of raw connections, as `longhaul raw` runs it: threads, the firewall's rule, the pipe for commands. */
import { setTimeout } from "node:timers/promises";
import { deferred } from "../base/deferred.ts";
import { HostError } from "../base/errors.ts";
import type { RawObservation } from "../carrier/observation.ts";
import { CommandPipe } from "../host/command-pipe.ts";
import { Firewall } from "../host/firewall.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { Fanout } from "../host/raw-socket.ts";
import { type LoopWorker, startLoopWorker } from "../host/worker.ts";
import { firewallPattern, withRemoteAddress } from "./raw-rule.ts";
import type { RawSettings } from "./raw-settings.ts";
import type { RawCommand, RawData, RawMessage } from "./raw-worker.ts";

export interface RawEndCounters {
  readonly settings: RawSettings;
  readonly cpuSeconds: number;
  readonly observations: readonly RawObservation[];
  readonly firewall: Firewall["counters"] | undefined;
}

export class RawEnd {
  readonly #log: Log;
  readonly #workers: LoopWorker<RawCommand>[] = [];
  #settings: RawSettings;
  #rule: Firewall | undefined;
  #pipe: CommandPipe | undefined;
  #ruleMoves: Promise<unknown> = Promise.resolve();

  private constructor(settings: RawSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** `number`: of the end in its process. `failed` is told of a thread that ended; undefined when `stopping` came before there was anything. @throws HostError when raw packets, a rule or an address cannot be had */
  static async start(
    given: RawSettings,
    number: number,
    log: Log,
    failed: (error: Error) => void,
    stopping: AbortSignal,
  ): Promise<RawEnd | undefined> {
    const settings = await found(given, log, stopping);
    if (settings === undefined || stopping.aborted) return undefined;
    const end = new RawEnd(settings, log);
    try {
      const { role, mode, firewall, fifo } = settings;
      // Before the first packet leaves, so that the kernel answers none.
      if (firewall !== "none") end.#rule = await Firewall.install(firewallPattern(settings), log);
      else if (mode === "icmp" && role === "server")
        log.warn({}, "no firewall rule: the kernel answers the client's pings as well; give -a, or add the rule that -g prints");
      if (firewall === "keep") end.#rule?.keep();
      await end.#carry(given, number, failed);
      if (fifo !== undefined) end.#pipe = await CommandPipe.open(fifo, (line) => end.#command(line));
    } catch (error) {
      await end.stop();
      throw error;
    }
    const { role, stream, mode, cipherMode, authMode, local, remote, workers } = settings;
    const modes = stream ? { mode: "tcp" } : { mode, cipherMode, authMode };
    log.info({ role, ...modes, local, remote, ...(workers > 1 ? { workers } : {}) }, "carrying");
    return end;
  }

  async counters(): Promise<RawEndCounters> {
    const answers = await Promise.all(this.#workers.map((worker) => worker.counters()));
    return {
      settings: this.#settings,
      cpuSeconds: answers.reduce((sum, answer) => sum + (answer?.cpuSeconds ?? 0), 0),
      observations: answers.flatMap((answer) => (answer?.program === undefined ? [] : [answer.program as RawObservation])),
      firewall: this.#rule?.counters,
    };
  }

  async stop(): Promise<void> {
    this.#pipe?.close();
    await Promise.allSettled(this.#workers.map((worker) => worker.stop()));
    await this.#ruleMoves;
    await this.#rule?.remove();
  }

  async #carry(given: RawSettings, number: number, failed: (error: Error) => void): Promise<void> {
    const settings = this.#settings;
    const { workers } = settings;
    const name = settings.role === "client" && ipFamily(given.remote.host) === 0 ? given.remote.host : undefined;
    for (let index = 0; index < workers; index++) {
      // Threads of a server share what comes to its port; each of a client has a connection of its own.
      const group = (process.pid * 8 + number) & 0xffff;
      const fanout: Fanout | undefined = workers > 1 && settings.role === "server" ? { group, first: index === 0 } : undefined;
      const carrying = deferred<void>();
      const worker = startLoopWorker<RawData, RawCommand, RawMessage>({
        module: new URL("./raw-worker.ts", import.meta.url),
        data: { settings, name, fanout },
        io: "epoll",
        sharePorts: workers > 1,
        onMessage: (message) => {
          if (message.kind === "carrying") carrying.resolve();
          else if (message.kind === "refused") carrying.reject(new HostError(message.code, message.syscall, message.address));
          else this.#moved(message.address);
        },
      });
      worker.ended.then(
        () => carrying.reject(new HostError("ECANCELED", "longhaul raw", "a thread ended")),
        (error: Error) => {
          carrying.reject(error);
          failed(error);
        },
      );
      this.#workers.push(worker);
      await carrying.promise;
    }
  }

  #command(line: string): void {
    if (line !== "reconnect") {
      this.#log.warn({ line }, 'a command that nobody knows came by the pipe; there is "reconnect"');
      return;
    }
    this.#log.info({}, "reconnecting, as the pipe says");
    for (const worker of this.#workers) worker.post({ kind: "reconnect" });
  }

  /** The server has another address: its packets need a rule of their own. */
  #moved(host: string): void {
    this.#settings = { ...this.#settings, remote: { ...this.#settings.remote, host } };
    const former = this.#rule;
    if (former === undefined) return;
    this.#ruleMoves = this.#ruleMoves
      .then(async () => {
        this.#rule = await Firewall.install(firewallPattern(this.#settings), this.#log);
        if (this.#settings.firewall === "keep") this.#rule.keep();
        await former.remove();
      })
      .catch((error: Error) => this.#log.error({ reason: error.message }, "no rule for the server's new address"));
  }
}

/** With an address instead of a name: asked for again and again where that is wished. */
async function found(settings: RawSettings, log: Log, stopping: AbortSignal): Promise<RawSettings | undefined> {
  while (!stopping.aborted) {
    try {
      return await withRemoteAddress(settings);
    } catch (error) {
      if (!settings.retryOnError || settings.role === "server") throw error;
      log.warn({ reason: (error as Error).message, seconds: LOOK_UP_MS / 1000 }, "the server is not found; trying again");
      await setTimeout(LOOK_UP_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  return undefined;
}

const LOOK_UP_MS = 10_000;
