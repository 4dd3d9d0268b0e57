/**
 * Logging: pino's JSON lines to standard error, or readable ones when that is a terminal (log-line.ts). Every module is given a Log and adds its own facts
 * with `child`.
 */
import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import pino from "pino";
import { readableLine } from "./log-line.ts";

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
export function createLog(level: LogLevel, destination: string | number | pino.DestinationStream = 2): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destinationOf(destination),
  );
}

function destinationOf(destination: string | number | pino.DestinationStream): pino.DestinationStream {
  if (typeof destination === "object") return destination;
  return destination === 2 && isatty(2) ? terminal : pino.destination({ dest: destination, sync: true });
}

const terminal = {
  write: (line: string): void => {
    try {
      writeSync(2, readableLine(line, process.env.NO_COLOR === undefined));
    } catch {
      // A terminal that takes nothing now, or has gone, must not stop the traffic: the line is lost.
    }
  },
};

export const silentLog: Log = createLog("silent");
