/** A named pipe from which a program takes commands, a line each. Source: fifo(7). */
import { createReadStream, lstatSync } from "node:fs";
import { HostError } from "../base/errors.ts";
import { runProgram } from "./program.ts";

/** A line longer than this is none. */
const LINE_MAX = 256;

export class CommandPipe {
  readonly #stream: ReturnType<typeof createReadStream>;

  private constructor(path: string, command: (line: string) => void) {
    // Opened for both, so that it does not end when a writer does.
    this.#stream = createReadStream(path, { flags: "r+", encoding: "utf8" });
    let rest = "";
    this.#stream.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!.slice(0, LINE_MAX);
      for (const line of lines) if (line.trim() !== "") command(line.trim().slice(0, LINE_MAX));
    });
    this.#stream.on("error", () => this.close());
  }

  /** Makes the pipe, for everybody, if there is none. @throws HostError when the path is something else or cannot be made */
  static async open(path: string, command: (line: string) => void): Promise<CommandPipe> {
    if (!isPipe(path)) {
      const { status, error } = await runProgram({ program: "mkfifo", args: ["-m", "666", "--", path] });
      if (status !== 0 && !isPipe(path)) throw new HostError("ENOENT", "mkfifo", `${path} (${error})`);
    }
    return new CommandPipe(path, command);
  }

  close(): void {
    this.#stream.destroy();
  }
}

function isPipe(path: string): boolean {
  try {
    return lstatSync(path).isFIFO();
  } catch {
    return false;
  }
}
