/** A log whose level can be changed for all that was made of it, and whose file can be opened anew: after it was rotated away, or another one. */
import pino from "pino";
import { createLog, type Log, type LogLevel } from "./log.ts";

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

export class LogGate {
  /** Lines below it are dropped. */
  level: LogLevel;
  readonly log: Log;
  readonly #file: ReturnType<typeof pino.destination> | undefined;

  /** `path`: of a file that lines are appended to; standard error if it is "". */
  constructor(level: LogLevel, path: string) {
    this.level = level;
    this.#file = path === "" ? undefined : pino.destination({ dest: path, sync: true });
    this.log = new Gated(createLog("debug", this.#file ?? 2), this);
  }

  passes(level: LogLevel): boolean {
    return ranks[level] >= ranks[this.level];
  }

  /** False where it goes from or to standard error: that does not change while the program runs. */
  reopen(path: string): boolean {
    if (this.#file === undefined || path === "") return this.#file === undefined && path === "";
    this.#file.reopen(path);
    return true;
  }
}

class Gated implements Log {
  readonly #inner: Log;
  readonly #gate: LogGate;

  constructor(inner: Log, gate: LogGate) {
    this.#inner = inner;
    this.#gate = gate;
  }
  debug(facts: object, text: string): void {
    if (this.#gate.passes("debug")) this.#inner.debug(facts, text);
  }
  info(facts: object, text: string): void {
    if (this.#gate.passes("info")) this.#inner.info(facts, text);
  }
  warn(facts: object, text: string): void {
    if (this.#gate.passes("warn")) this.#inner.warn(facts, text);
  }
  error(facts: object, text: string): void {
    if (this.#gate.passes("error")) this.#inner.error(facts, text);
  }
  child(facts: object): Log {
    return new Gated(this.#inner.child(facts), this.#gate);
  }
}
