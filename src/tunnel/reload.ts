/**
 * A configuration that changes while the tunnel runs: when each option takes effect.
 *
 *   now        for what runs as well          limits, users, targets, forwards, log, rates, times
 *   sessions   for sessions that begin from now on: what both ends have settled at its beginning stays as it was
 *   restart    never: sockets and threads that are there already
 *
 * The parts of a tunnel read their options where they need them from one object, which belongs to the tunnel and is written here only.
 */
import type { ClientConfig, ServerConfig } from "./config.ts";

export type Effect = "now" | "sessions" | "restart";

const both: Readonly<Record<Effect, readonly string[]>> = {
  now: ["cryptfallback", "ratelimit", "keepalive", "closewait", "flows", "flowidle", "log", "quiet", "snmplog", "snmpperiod"],
  sessions: [
    ...[
      "key",
      "crypt",
      "mode",
      "mtu",
      "datashard",
      "parityshard",
      "QPP",
      "QPPCount",
      "nocomp",
      "acknodelay",
      "nodelay",
      "interval",
      "resend",
      "nc",
    ],
    ...["smuxver", "smuxbuf", "framesize", "streambuf", "spill", "stallwait", "compat", "streams", "flowqueue", "flowparts", "extensions"],
    ...["sndwnd", "rcvwnd"],
  ],
  restart: [
    "carrier",
    "rawkey",
    "raw",
    "tcp",
    "tcpcarrier",
    "proxyprotocol",
    "workers",
    "gso",
    "io",
    "metrics",
    "metricsessions",
    "statussocket",
  ],
};

const ends: Readonly<Record<"client" | "server", Readonly<Record<Effect, readonly string[]>>>> = {
  client: {
    now: ["localaddr", "forward", "reverse", "maxdelay", "autoexpire", "scavengettl", "retired"],
    sessions: ["remoteaddr", "copies", "dscp", "gso", "sockbuf"],
    restart: ["conn", "path"],
  },
  server: {
    now: ["target", "targets", "reverse", "sessions", "users", "tries", "triesonce"],
    sessions: [],
    restart: ["listen", "ports", "dscp", "gso", "sockbuf", "state", "metricusers"],
  },
};

/** Undefined: there is no such option. */
export function effectOf(role: "client" | "server", key: string): Effect | undefined {
  return (["now", "sessions", "restart"] as const).find((effect) => both[effect].includes(key) || ends[role][effect].includes(key));
}

/** Names of the options that differ, by when they take effect; no values, which may be keys. */
export type Changes = Readonly<Record<Effect, string[]>>;

export function changesOf<Config extends ClientConfig | ServerConfig>(role: "client" | "server", running: Config, wanted: Config): Changes {
  const changes = { now: [] as string[], sessions: [] as string[], restart: [] as string[] };
  for (const key of Object.keys(wanted) as (keyof Config & string)[]) {
    if (JSON.stringify(running[key]) !== JSON.stringify(wanted[key])) changes[effectOf(role, key) ?? "restart"].push(key);
  }
  return changes;
}

/** Writes into `running` what may change. */
export function adopt<Config extends object>(running: Config, wanted: Config, { now, sessions }: Changes): void {
  for (const key of [...now, ...sessions] as (keyof Config)[]) running[key] = wanted[key];
}
