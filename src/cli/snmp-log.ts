/**
 * The CSV file of option snmplog: a row of counters each snmpperiod, in the columns of the chosen kcptun generation.
 *
 * The last element of the path is a Go time layout (go-time.ts) and decides anew at each row which file it goes to; a file that is empty gets
 * the header first. Rows are appended. Source: reference kcptun.md 9.3.
 */
import { appendFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Log } from "../host/log.ts";
import { type SnmpCounters, snmpColumns } from "../tunnel/snmp.ts";
import { formatGoTime } from "./go-time.ts";

export class SnmpLog {
  readonly #path: string;
  readonly #columns: readonly string[];
  readonly #log: Log;
  /** Rows that could not be written. */
  failed = 0;

  constructor(path: string, generation: "2021" | "2026", log: Log) {
    this.#path = path;
    this.#columns = snmpColumns[generation];
    this.#log = log;
  }

  write(at: Date, counters: SnmpCounters): void {
    const path = join(dirname(this.#path), formatGoTime(basename(this.#path), at));
    const row = [Math.floor(at.getTime() / 1000), ...this.#columns.map((column) => counters[column] ?? 0)];
    const header = isEmpty(path) ? `${["Unix", ...this.#columns].join(",")}\n` : "";
    try {
      appendFileSync(path, `${header}${row.join(",")}\n`);
    } catch (error) {
      this.failed++;
      this.#log.warn({ path, failed: this.failed, reason: (error as Error).message }, "a row of snmplog could not be written");
    }
  }
}

function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}
