/**
 * Options of `connect` and `createServer`: those of `longhaul client` and `longhaul server`, under their names there, and what a library needs besides.
 * Both ends must agree on `key` and `crypt` (and on QPP); a server of ours finds out the rest, a kcptun needs the same smuxver and nocomp as well.
 */
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { defaultKey } from "../cli/default-key.ts";
import { checkGiven } from "../cli/flags.ts";
import { withUsers } from "../cli/users-file.ts";
import { formatHostPort } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import { type ClientConfig, clientConfig, type ServerConfig, serverConfig } from "../tunnel/config.ts";
import type { userEntry } from "../tunnel/user-config.ts";
import { IN_PROCESS, inProcess } from "./stream-loop.ts";

/** What belongs to a program rather than to a library. */
const ofPrograms = [
  ...(["carrier", "rawkey", "raw", "tcp", "tcpcarrier"] as const),
  ...(["io", "log", "snmplog", "snmpperiod", "quiet", "cryptfallback"] as const),
  ...(["localaddr", "forward", "remoteaddr"] as const),
  ...(["listen", "ports", "target", "proxyprotocol", "state", "metricusers", "tries", "triesonce"] as const),
] as const;
type OfPrograms = "key" | (typeof ofPrograms)[number];

interface LibraryOptions {
  /** Told what goes on; nobody by default. A pino logger will do. */
  readonly log?: Log;
  /** false, the default: a stream's writable side ends when the other end has ended its own. */
  readonly allowHalfOpen?: boolean;
  /** Bytes of a stream's readable and of its writable buffer; 65,536. */
  readonly highWaterMark?: Bytes;
}

export interface ConnectOptions extends LibraryOptions, Partial<Omit<ClientConfig, OfPrograms>> {
  /** Secret shared by both ends. */
  readonly key: string;
  /** Name or address of the server; this machine by default. */
  readonly host?: string;
  readonly port: number;
  /** A stream fails with ETIMEDOUT when the server has not been heard so long after it was opened; 10,000 ms, 0 = never. */
  readonly connectTimeout?: Millis;
  /** Destroys the tunnel. */
  readonly signal?: AbortSignal;
}

export interface ServerOptions extends LibraryOptions, Partial<Omit<ServerConfig, OfPrograms | "users" | "targets">> {
  /** Secret shared by both ends, unless there are `users`. */
  readonly key?: string;
  /** Users with keys and limits of their own; a stream's `user` says whose it is. */
  readonly users?: readonly ServerUser[];
  /** Names that clients may ask for besides the default; a stream's `target` says which it was. */
  readonly targets?: readonly string[];
  /** Streams open at once, of all clients; no limit by default beside `sessions` and `streams`. */
  readonly maxConnections?: number;
}

/** As an entry of the file that --users of `longhaul server` names. */
export type ServerUser = z.input<typeof userEntry>;

const own = {
  allowHalfOpen: z.boolean().default(false),
  highWaterMark: z
    .number()
    .int()
    .min(1)
    .max(2 ** 26)
    .default(65_536),
};
const ofConnect = z.object({
  ...own,
  connectTimeout: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(10_000),
});
const ofServer = z.object({ ...own, maxConnections: z.number().int().min(1).default(Number.MAX_SAFE_INTEGER) });

export interface CheckedConnect extends z.output<typeof ofConnect> {
  readonly config: ClientConfig;
}
export interface CheckedServer extends z.output<typeof ofServer> {
  /** For the address to listen at. */
  readonly config: (listen: string) => ServerConfig;
}

/** @throws ConfigError */
export function checkConnect(options: ConnectOptions): CheckedConnect {
  const { host, port, signal: _, log, ...rest } = options;
  const { mine, tunnel } = split(ofConnect, rest);
  const remoteaddr = formatHostPort(host ?? "localhost", port);
  const config = check(clientConfig, { ...tunnel, localaddr: IN_PROCESS, remoteaddr, quiet: log === undefined });
  return { ...mine, config };
}

/** @throws ConfigError, now or when an address is given */
export function checkServer(options: ServerOptions): CheckedServer {
  const { log, users = [], targets = [], ...rest } = options;
  const { mine, tunnel } = split(ofServer, rest);
  const given = {
    ...tunnel,
    ...(users.length === 0 ? {} : { users, key: tunnel.key ?? defaultKey }),
    ...{ targets: targets.map((name) => `${name}=${inProcess(name)}`), target: IN_PROCESS, quiet: log === undefined },
  };
  const config = (listen: string): ServerConfig => withUsersOf(check(serverConfig, { ...given, listen }));
  config(":0");
  return { ...mine, config };
}

function withUsersOf(config: ServerConfig): ServerConfig {
  try {
    return withUsers(config);
  } catch (error) {
    throw error instanceof ConfigError ? named(error) : error;
  }
}

/** Of the library, not of a command line. */
function named({ key, message }: ConfigError): ConfigError {
  return new ConfigError(key, message.replace(/^--/, ""));
}

function split<Schema extends z.ZodObject>(schema: Schema, options: object): { mine: z.output<Schema>; tunnel: Record<string, unknown> } {
  const foreign = ofPrograms.find((key) => key in options);
  if (foreign !== undefined) throw new ConfigError(foreign, `${foreign}: an option of longhaul's programs and not of the library`);
  const result = schema.safeParse(options);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new ConfigError(String(path[0]), `${String(path[0])}: ${message}`);
  }
  const tunnel = Object.entries(options).filter(([key, value]) => !(key in schema.shape) && value !== undefined);
  return { mine: result.data, tunnel: Object.fromEntries(tunnel) };
}

function check<Schema extends z.ZodObject>(schema: Schema, given: Record<string, unknown>): z.output<Schema> {
  if (typeof given.key !== "string" || given.key === "")
    throw new ConfigError("key", "key: nothing given; give the secret shared by both ends");
  // The schemas are a command line's: switches come as words there.
  const words = Object.entries(given).map(([key, value]) => [key, typeof value === "boolean" ? String(value) : value]);
  try {
    return checkGiven(schema, Object.fromEntries(words) as Record<string, unknown>);
  } catch (error) {
    throw error instanceof ConfigError ? named(error) : error;
  }
}
