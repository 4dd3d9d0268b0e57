/** `longhaul control` as a child, and clients of it. */
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GlobalAccelerator } from "@aws-sdk/client-global-accelerator";
import { type Child, type Children, longhaul, sleep } from "../children.ts";

export interface ControlOptions {
  readonly data: string;
  readonly port: number;
  /** Of a PostgreSQL database. */
  readonly database?: string;
  readonly more?: readonly string[];
}

export class ControlProcess {
  readonly endpoint: string;
  readonly #children: Children;
  readonly #options: ControlOptions;
  child!: Child;

  constructor(children: Children, options: ControlOptions) {
    this.#children = children;
    this.#options = options;
    this.endpoint = `http://127.0.0.1:${options.port}`;
  }

  async start(): Promise<void> {
    const { data, port, database, more = [] } = this.#options;
    const store = database === undefined ? [] : ["--database", database];
    this.child = this.#children.start("control", [longhaul, "control", "--data", data, "--api", `127.0.0.1:${port}`, ...store, ...more]);
    for (const end = Date.now() + 20_000; !(await fetch(`${this.endpoint}/healthz`).catch(() => undefined))?.ok; await sleep(30))
      if (Date.now() > end || this.child.process.exitCode !== null) throw new Error(this.child.output());
  }

  /** As if the machine had lost its power: no handler runs. */
  async kill(): Promise<void> {
    process.kill(this.child.process.pid!, "SIGKILL");
    await this.child.exited;
  }

  get credentials(): { accessKeyId: string; secretAccessKey: string } {
    const [, accessKeyId, secretAccessKey] = /= (\S+)\n.*= (\S+)\n/.exec(readFileSync(join(this.#options.data, "credentials"), "utf8"))!;
    return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! };
  }

  client(credentials = this.credentials, maxAttempts = 1): GlobalAccelerator {
    return new GlobalAccelerator({ region: "us-west-2", endpoint: this.endpoint, credentials, maxAttempts });
  }
}

/** A folder for another process of the same store. */
export function copyOfKey(from: string, to: string): void {
  mkdirSync(to);
  copyFileSync(join(from, "master.key"), join(to, "master.key"));
}
