/** Logging: pino lines to standard error; every module is given a Log and adds its own facts with `child`. */
import pino from "pino";

/** What modules need of a logger: facts first, then a sentence. */
export interface Log {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
  child(facts: object): Log;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Written synchronously, so that a worker whose event loop is busy in epoll logs as well. */
export function createLog(level: LogLevel, destination: string | number = 2): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ dest: destination, sync: true }),
  );
}

export const silentLog: Log = createLog("silent");
