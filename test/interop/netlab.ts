/** The link emulator of `../shared/netlab`, built in a folder of our own: namespaces NAME-c and NAME-s joined by a link. Needs root and gcc. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./children.ts";

const source = process.env.LONGHAUL_NETLAB ?? join(root, "../shared/netlab");

/** A reason why namespaces cannot be had here, or undefined. */
export function netlabMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  if (!existsSync(source)) return "needs ../shared/netlab (or LONGHAUL_NETLAB)";
  return undefined;
}

export class Netlab {
  readonly name: string;
  readonly #folder: string;
  static readonly serverAddress = "10.200.0.2";

  /** @param link linkemu's words for both directions: "delay=100 loss=1% rate=20mbit qbytes=512k" */
  constructor(name: string, link: string, seed = 1) {
    this.name = name;
    this.#folder = mkdtempSync(join(tmpdir(), "longhaul-netlab-"));
    cpSync(source, this.#folder, { recursive: true });
    this.#run("down", name);
    this.#run("up", name, link, "-s", String(seed));
  }

  /** Put before a command to run it at the client's or the server's side. */
  prefix(side: "c" | "s"): string[] {
    return ["ip", "netns", "exec", `${this.name}-${side}`];
  }

  /** Another link between the two sides, the `index`th: 10.200.INDEX.1 and .2. */
  join(index: number, link: string, seed = 1): void {
    this.#run("link", this.name, "c", "s", String(index), link, "-s", String(seed));
  }

  /** Runs a command at one side, to its end. */
  exec(side: "c" | "s", ...command: readonly string[]): void {
    const [file, ...args] = [...this.prefix(side), ...command];
    execFileSync(file!, args);
  }

  set(link: string, index = 0): void {
    this.#run("set", this.name, String(index), "both", link);
  }

  stats(index = 0): { ab: LinkDirection; ba: LinkDirection } {
    return JSON.parse(this.#run("stats", this.name, String(index)));
  }

  /** Counters begin anew. */
  reset(): void {
    this.#run("reset", this.name, "0");
  }

  down(): void {
    this.#run("down", this.name);
  }

  #run(...args: readonly string[]): string {
    return execFileSync("bash", [join(this.#folder, "netlab.sh"), ...args], {
      encoding: "utf8",
      env: { ...process.env, NETLAB_STATE: join(this.#folder, "state") },
    });
  }
}

export interface LinkDirection {
  /** Packets and bytes. */
  readonly in: readonly [number, number];
  readonly out: readonly [number, number];
  readonly drop_loss: readonly [number, number];
  readonly drop_queue: readonly [number, number];
  /** Time in the bottleneck's queue, in ms. */
  readonly q_ms: { readonly mean: number; readonly p50: number; readonly p95: number; readonly max: number };
}
