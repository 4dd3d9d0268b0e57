/**
 * A command that runs when this process is gone, however it went: a companion waits at the end of a pipe whose other end only this process has.
 *
 *   we ══ pipe ══ sh: cat > /dev/null, then the command
 */
import { type ChildProcess, spawn } from "node:child_process";

export class LastWill {
  readonly #companion: ChildProcess;

  /** `args` are given to the program as they are. */
  constructor(program: string, args: readonly string[]) {
    this.#companion = spawn("sh", ["-c", 'cat > /dev/null; exec "$@" > /dev/null 2>&1', "sh", program, ...args], {
      stdio: ["pipe", "ignore", "ignore"],
      // Of a process group of its own: what ends us by a signal to the group leaves it.
      detached: true,
      env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
    });
    this.#companion.on("error", () => {});
    this.#companion.stdin?.on("error", () => {});
    this.#companion.unref();
  }

  /** Nothing is to be run any more. */
  revoke(): void {
    this.#companion.kill("SIGKILL");
  }
}
