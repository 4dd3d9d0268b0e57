/**
 * Announces at BIRD what this edge can serve, and nothing else: an accelerator's addresses leave the routers when none of its endpoints answers here, when the
 * edge drains or stops, and when its process is gone, however it went (host/last-will.ts).
 *
 *   look ─► addresses to be announced ─ changed? ─► at the interface (ip) ─► file written ─► "configure" at BIRD's socket
 */
import type { Millis } from "../base/units.ts";
import { askBird } from "../host/bird-socket.ts";
import { LastWill } from "../host/last-will.ts";
import type { Log } from "../host/log.ts";
import { runProgram } from "../host/program.ts";
import { writeStateFile } from "../host/state-file.ts";
import { type BirdOptions, birdConfiguration } from "./bird-configuration.ts";
import type { EdgeConfig } from "./edge-config.ts";
import type { HealthWatch } from "./health-watch.ts";
import { standingKey } from "./health-watch.ts";

export interface AnnouncerOptions extends BirdOptions {
  /** "" for none: addresses are only put at the interface. */
  readonly file: string;
  readonly socket: string;
  /** Where addresses are put, "" for nowhere: then they are there already. */
  readonly interface: string;
  readonly log: Log;
}

const BIRD_TIMEOUT: Millis = 5000;
const AGAIN: Millis = 1000;

export class Announcer {
  readonly counters = { announcements: 0, announcementsFailed: 0 };
  readonly #options: AnnouncerOptions;
  readonly #assigned = new Set<string>();
  #announced: string | undefined;
  #wanted: readonly string[] = [];
  #working: Promise<void> | undefined;
  #will: LastWill | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  get addresses(): readonly string[] {
    return this.#wanted;
  }

  /** Puts the addresses of enabled accelerators at the interface, so that they can be listened at. */
  async assign(config: EdgeConfig): Promise<void> {
    const { interface: name, log } = this.#options;
    if (name === "") return;
    const wanted = new Set(config.accelerators.filter(({ enabled }) => enabled).flatMap(({ addresses }) => addresses));
    for (const address of wanted)
      if (!this.#assigned.has(address) && (await this.#ip("replace", address, log))) this.#assigned.add(address);
    for (const address of this.#assigned) if (!wanted.has(address) && (await this.#ip("del", address, log))) this.#assigned.delete(address);
  }

  /** Something may be another way now. */
  look(config: EdgeConfig, health: HealthWatch): Promise<void> {
    return this.#want(servable(config, health));
  }

  /** Nothing is announced any more. */
  async withdraw(): Promise<void> {
    await this.#want([]);
  }

  async close(): Promise<void> {
    await this.withdraw();
    clearTimeout(this.#timer);
    this.#will?.revoke();
  }

  async #want(addresses: readonly string[]): Promise<void> {
    this.#wanted = addresses;
    if (this.#options.file === "") return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  async #work(): Promise<void> {
    const { file, socket, log } = this.#options;
    for (let key = this.#wanted.join(); key !== this.#announced; key = this.#wanted.join()) {
      const addresses = this.#wanted;
      try {
        writeStateFile(file, birdConfiguration(addresses, this.#options));
        await askBird(socket, "configure", BIRD_TIMEOUT);
        if (this.#will === undefined) {
          // The will of an earlier process may have switched them off.
          for (const name of PROTOCOLS) await askBird(socket, `enable ${name}`, BIRD_TIMEOUT);
          this.#will = new LastWill("birdc", ["-s", socket, "disable", '"longhaul?"']);
        }
        this.#announced = key;
        this.counters.announcements++;
        log.info({ addresses }, addresses.length === 0 ? "nothing is announced" : "announced");
      } catch (error) {
        this.counters.announcementsFailed++;
        log.error({ reason: (error as Error).message }, "what is served cannot be announced, tried again");
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.#want(this.#wanted), AGAIN);
        return;
      }
    }
  }

  async #ip(verb: "replace" | "del", address: string, log: Log): Promise<boolean> {
    const length = address.includes(":") ? 128 : 32;
    const { status, error } = await runProgram({
      program: "ip",
      args: ["addr", verb, `${address}/${length}`, "dev", this.#options.interface],
    });
    if (status !== 0) log.error({ address, reason: error }, "an address cannot be put at the interface");
    return status === 0;
  }
}

/** Addresses of accelerators of which an endpoint answers, or none is checked, or none was asked yet. */
function servable(config: EdgeConfig, health: HealthWatch): string[] {
  const states = new Map(health.list().map(({ key, healthy }) => [key, healthy]));
  return config.accelerators
    .filter(({ enabled, listeners }) => {
      const groups = listeners.flatMap((listener) => listener.groups);
      if (!enabled || listeners.length === 0) return false;
      return (
        groups.length === 0 ||
        groups.some(({ check, endpoints }) => endpoints.some((endpoint) => states.get(standingKey(check, endpoint)) === true))
      );
    })
    .flatMap(({ addresses }) => addresses)
    .sort();
}

const PROTOCOLS = ["longhaul4", "longhaul6"] as const;
