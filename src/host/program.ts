/** Another program, run to its end: for what the kernel is told through tools of its own. */
import { execFile, spawnSync } from "node:child_process";

export interface Step {
  readonly program: string;
  readonly args: readonly string[];
  /** What it reads at standard input. */
  readonly input?: string;
  /** Most it may say; 4 MiB by default. */
  readonly outputBytesMax?: number;
}

export interface Outcome {
  /** Exit status; undefined: it is not there, was ended for taking too long, or said too much. */
  readonly status: number | undefined;
  readonly output: string;
  /** The first line of its complaint, or why it could not run. */
  readonly error: string;
}

export type Run = (step: Step) => Promise<Outcome>;

export const runProgram: Run = ({ program, args, input = "", outputBytesMax = options.maxBuffer }) =>
  new Promise((done) => {
    const child = execFile(program, args, { ...options, maxBuffer: outputBytesMax }, (error, output, complaint) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      done({ status, output, error: firstLine(complaint) || reason(program, error) });
    });
    // It may end without having read it.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });

/** The same where nothing can be waited for, at the end of the process; what comes of it nobody hears. */
export function runProgramNow({ program, args, input = "" }: Step): void {
  spawnSync(program, args, { ...options, input, stdio: ["pipe", "ignore", "ignore"] });
}

function reason(program: string, error: (Error & { code?: unknown }) | null): string {
  if (error === null) return "";
  return error.code === "ENOENT" ? `${program} is not installed` : firstLine(error.message);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]!.slice(0, LINE_MAX);
}

const LINE_MAX = 200;
const options = {
  encoding: "utf8",
  timeout: 10_000,
  killSignal: "SIGKILL",
  maxBuffer: 4 << 20,
  // Where such tools are is not on every user's path. Their words are read, so in one language.
  env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" },
} as const;
