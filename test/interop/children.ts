/** Child processes of a test script: started with a log, ended by their own id, never left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");
export const longhaul = join(root, "bin/longhaul");

export class Children {
  readonly folder = mkdtempSync(join(tmpdir(), "longhaul-test-"));
  readonly #running = new Set<ChildProcess>();
  #count = 0;

  constructor() {
    // Whoever is stopped in the midst of it leaves nothing running either, nor its ports taken.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void this.endAll().finally(() => process.exit(1)));
  }

  /** Starts a program whose output goes to a log file; `prefix` is put before it ("ip netns exec …"). */
  start(name: string, command: readonly string[], prefix: readonly string[] = []): Child {
    const path = join(this.folder, `${++this.#count}-${name}.log`);
    const log = openSync(path, "w");
    const [file, ...args] = [...prefix, ...command];
    const process = spawn(file!, args, { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    this.#running.add(process);
    const exited = new Promise<number>((resolve) => {
      process.on("exit", (code) => {
        this.#running.delete(process);
        resolve(code ?? -1);
      });
      process.on("error", () => resolve(-1));
    });
    return { program: command[0]!, process, exited, output: () => readFileSync(path, "utf8") };
  }

  async end(child: Child): Promise<void> {
    if (child.process.exitCode !== null || child.process.signalCode !== null) return;
    signalGroup(child.process, "SIGTERM");
    const timer = setTimeout(() => signalGroup(child.process, "SIGKILL"), 3000);
    await child.exited;
    clearTimeout(timer);
  }

  async endAll(): Promise<void> {
    await Promise.all(
      [...this.#running].map((process) =>
        this.end({ program: "", process, exited: new Promise((done) => process.on("exit", () => done(0))), output: () => "" }),
      ),
    );
  }
}

/** Every child leads a group of its own, so a signal reaches what it has started (npm, sh), as a terminal's Ctrl-C would. */
export function signalGroup(process: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (process.pid !== undefined) globalThis.process.kill(-process.pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}

/** Whether anything of what the child has started still runs. */
export function groupLives(process: ChildProcess): boolean {
  try {
    return process.pid !== undefined && globalThis.process.kill(-process.pid, 0);
  } catch {
    return false;
  }
}

export interface Child {
  readonly program: string;
  readonly process: ChildProcess;
  readonly exited: Promise<number>;
  /** Everything written to standard output and error so far. */
  output(): string;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Waits until the child's output holds the text. @throws when it does not within the time */
export async function waitFor(child: Child, text: string, ms = 15_000): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; await sleep(20)) {
    if (child.output().includes(text)) return;
    if (child.process.exitCode !== null) break;
  }
  throw new Error(`"${text}" did not appear in:\n${child.output()}`);
}

/** Waits until a TCP port of this namespace accepts. */
export async function waitForPort(port: number, ms = 10_000): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; await sleep(20)) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        done(true);
      });
      socket.on("error", () => done(false));
    });
    if (open) return;
  }
  throw new Error(`port ${port} did not open`);
}
