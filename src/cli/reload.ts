/**
 * SIGHUP: the configuration is read anew from the same command line, environment and files, and what has changed is taken over without
 * ending a session. One line says what became of it; a configuration that is wrong changes nothing and is named.
 */
import { ConfigError } from "../base/errors.ts";
import type { Log } from "../host/log.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import { adopt, changesOf } from "../tunnel/reload.ts";
import type { Reloaded } from "../tunnel/server.ts";
import { checkTunnel, type TunnelEnd } from "./tunnel.ts";

export class Reload {
  /** What is in force, as it was given. */
  readonly #running: TunnelEnd;
  readonly #reread: () => TunnelEnd;
  readonly #log: Log;
  #asked: TunnelEnd | undefined;

  constructor(end: TunnelEnd, reread: () => TunnelEnd, log: Log) {
    this.#running = { ...end, config: { ...end.config } } as TunnelEnd;
    this.#reread = reread;
    this.#log = log;
  }

  /** The configuration to hand to the workers; undefined when it is wrong. */
  read(): ClientConfig | ServerConfig | undefined {
    try {
      const wanted = this.#reread();
      checkTunnel(wanted);
      this.#asked = wanted;
      return wanted.config;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.refused(error.message);
      return undefined;
    }
  }

  refused(reason: string): void {
    this.#log.error({ reason }, "configuration not reloaded: nothing has changed");
  }

  /** A worker has taken it over; the first one's word is logged. Answers the options that changed for what runs. */
  done({ users }: Pick<Reloaded, "users">): readonly string[] {
    const wanted = this.#asked;
    if (wanted === undefined) return [];
    this.#asked = undefined;
    const { role } = this.#running;
    const running = this.#running.config as ClientConfig & ServerConfig;
    const changes = changesOf(role, running, wanted.config as ClientConfig & ServerConfig);
    adopt(running, wanted.config as ClientConfig & ServerConfig, changes);
    const { now, sessions, restart } = changes;
    this.#log.info({ now, forNewSessions: sessions, users }, "configuration reloaded");
    if (restart.length > 0) this.#log.warn({ options: restart }, "these options change only when the program is started anew");
    return now;
  }

  get config(): ClientConfig | ServerConfig {
    return this.#running.config;
  }
}
