/** sipp as callers of the accelerator, and what they wrote down. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADDRESS, type Lab } from "../edge/lab.ts";
import { SIP } from "./region.ts";
import { type CallLine, callerScenario, parseCallLog } from "./scenarios.ts";

const CLIENT = "10.81.0.2";

export interface CallersOptions {
  readonly calls: number;
  readonly perSecond: number;
  readonly holdMs: number;
  /** Where given: all calls from this port, and with voice; otherwise each call from a port of its own, and so a flow of its own. */
  readonly voiceFrom?: { readonly port: number; readonly mediaPort: number };
}

export class Callers {
  readonly #log: string;
  readonly #child: ChildProcess;

  constructor(lab: Lab, name: string, { calls, perSecond, holdMs, voiceFrom }: CallersOptions) {
    const file = (suffix: string): string => join(lab.folder, `${name}.${suffix}`);
    this.#log = file("log");
    const voice = file("g711");
    writeFileSync(voice, Buffer.alloc(16_000, 0xd5));
    writeFileSync(file("xml"), callerScenario(holdMs, voiceFrom === undefined ? undefined : voice));
    const from =
      voiceFrom === undefined
        ? ["-t", "un", "-max_socket", "8000"]
        : ["-t", "u1", "-p", `${voiceFrom.port}`, "-mp", `${voiceFrom.mediaPort}`];
    this.#child = lab.spawn(
      "c",
      [
        ...["sipp", `${ADDRESS}:${SIP}`, "-sf", file("xml"), "-i", CLIENT, ...from, "-m", String(calls), "-r", String(perSecond)],
        ...[
          "-l",
          String(calls),
          "-nostdin",
          "-timeout",
          "90",
          "-trace_logs",
          "-log_file",
          this.#log,
          "-trace_err",
          "-error_file",
          file("err"),
        ],
      ],
      true,
    );
    this.#child.stdout?.resume();
  }

  /** sipp does not end by itself while calls of a dead region have nobody to say goodbye to. */
  end(): void {
    this.#child.kill("SIGKILL");
  }

  lines(): CallLine[] {
    return existsSync(this.#log) ? parseCallLog(readFileSync(this.#log, "utf8")) : [];
  }
}
