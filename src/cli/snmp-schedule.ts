/** Asks for a row of option snmplog each snmpperiod, and writes it when it comes. */
import type { Log } from "../host/log.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import type { SnmpCounters } from "../tunnel/snmp.ts";
import { SnmpLog } from "./snmp-log.ts";

export class SnmpSchedule {
  readonly #log: Log;
  readonly #ask: () => void;
  #file: SnmpLog | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, ask: () => void) {
    this.#log = log;
    this.#ask = ask;
  }

  configure({ snmplog, snmpperiod, compat }: ClientConfig | ServerConfig): void {
    this.stop();
    if (snmplog === "" || snmpperiod === 0) return;
    this.#file = new SnmpLog(snmplog, compat, this.#log);
    this.#timer = setInterval(this.#ask, snmpperiod * 1000).unref();
  }

  write(counters: SnmpCounters): void {
    this.#file?.write(new Date(), counters);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#file = undefined;
  }
}
