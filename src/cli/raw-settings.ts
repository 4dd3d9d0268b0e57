/** What `longhaul raw` was asked for, checked and in one shape: udp2raw's options become the parameters of a carrier. */
import { readFileSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";
import type { AuthMode } from "../faketcp/auth-mode.ts";
import { AEAD_MODE, type CipherMode } from "../faketcp/cipher-mode.ts";
import { passwordOf } from "../faketcp/keys.ts";
import type { RawMode, Role, SeqMode } from "../faketcp/mode.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { LogLevel } from "../host/log.ts";
import { parseHardwareAddress } from "../host/network-interface.ts";
import type { LowerLevel } from "../host/raw-socket.ts";
import { parseHostPort } from "../tunnel/address.ts";
import { checkGiven, type Sources } from "./flags.ts";
import { optionsOf } from "./option.ts";
import { readRawArguments } from "./raw-arguments.ts";
import { EASY_MODES, laterRawOptions, type RawConfig, rawConfig } from "./raw-options.ts";

export type RawCipherMode = CipherMode | typeof AEAD_MODE;

/** What the ends of a process share. */
export interface RawProcess {
  readonly metrics: string;
  readonly statusSocket: string;
}

export interface RawEndpoint {
  /** A literal address, without brackets; of `remote` also a name. */
  readonly host: string;
  readonly port: number;
}

export interface RawSettings {
  readonly role: Role;
  readonly local: RawEndpoint;
  readonly remote: RawEndpoint;
  /** Secret. What keys are derived from. */
  readonly password: string;
  /** A blank was in what was given, and what is behind it does not count. */
  readonly passwordCut: boolean;
  readonly mode: RawMode;
  /** Raw mode tcp: no raw packets at all, but TCP connections of the kernel's; of the other parameters those of packets mean nothing then. */
  readonly stream: boolean;
  /** easyfaketcp: the kernel makes the connection. */
  readonly easy: boolean;
  readonly seqMode: SeqMode;
  readonly cipherMode: RawCipherMode;
  /** Of no meaning with aes128gcm. */
  readonly authMode: AuthMode;
  readonly fixGro: boolean;
  /** 0…1500. */
  readonly heartbeatBytes: number;
  readonly heartbeatMode: 0 | 1;
  /** Never with auth mode none. */
  readonly antiReplay: boolean;
  /** 1…255. */
  readonly ttl: number;
  /** Of each socket's buffer. */
  readonly bufferBytes: number;
  /** Client: literal address, undefined: the route's. */
  readonly sourceIp: string | undefined;
  /** Client: 1…65,535, undefined: another one for each connection. */
  readonly sourcePort: number | undefined;
  readonly mtuWarnBytes: number;
  /** Undefined: all interfaces. */
  readonly device: string | undefined;
  /** Undefined: by route. */
  readonly lowerLevel: LowerLevel | undefined;
  /** Path of a named pipe for commands; client. */
  readonly fifo: string | undefined;
  /** The buffers must be as large as wished. */
  readonly forceBuffers: boolean;
  readonly retryOnError: boolean;
  readonly resetsShown: number;
  /** Undefined: any number. */
  readonly resetsAllowed: number | undefined;
  /** Of 10,000 packets, so many are not sent. */
  readonly randomDrop: number;
  /** Threads. */
  readonly workers: number;
  /** none: the user sees to it. auto: added, and removed at the end. keep: also restored when somebody has removed it. */
  readonly firewall: "none" | "auto" | "keep";
  readonly logLevel: LogLevel;
  readonly colors: boolean;
}

/** What to do: carry, or one of the things after which the program ends. */
export type RawRequest =
  | { readonly action: "clear" }
  | {
      readonly action: "carry" | "explain" | "printRule" | "addRule";
      /** The first end, and all of them. */
      readonly settings: RawSettings;
      readonly ends: readonly RawSettings[];
      readonly process: RawProcess;
    };

/** udp2raw's arguments, with `explain` before them or not. @throws ConfigError */
export function parseRaw({ argv, env }: Sources): RawRequest {
  const explain = argv[0] === "explain";
  const sections = readRawArguments(explain ? argv.slice(1) : argv, optionsOf(rawConfig), laterRawOptions);
  const configs = sections.map((given) => {
    checkModes(given);
    return { config: checkGiven(rawConfig, given), given };
  });
  const [{ config }] = configs as [(typeof configs)[number], ...typeof configs];
  if (config.clear) return { action: "clear" };
  const ends = configs.map(({ config: each, given: words }) =>
    settingsOf(each, givenPassword(each["key-file"], words.key, env.LONGHAUL_RAW_KEY)),
  );
  const given = { settings: ends[0]!, ends, process: { metrics: config.metrics, statusSocket: config.statussocket } };
  if (explain) return { action: "explain", ...given };
  return { action: config["gen-add"] ? "addRule" : config["gen-rule"] ? "printRule" : "carry", ...given };
}

/** @throws ConfigError when a mode that needs no check is given one */
export function checkModes(given: Readonly<Record<string, string>>): void {
  if (given["cipher-mode"] === AEAD_MODE && given["auth-mode"] !== undefined)
    throw new ConfigError(
      "auth-mode",
      `--auth-mode: "${given["auth-mode"]}" is not allowed with --cipher-mode ${AEAD_MODE}, which checks by itself; leave it out`,
    );
}

function settingsOf(config: RawConfig, given: string | undefined): RawSettings {
  if (config.client === config.server)
    throw new ConfigError("client", `-c and -s: ${config.client ? "both" : "neither"} given; give -c at the near end, -s at the far end`);
  const easy = config["easy-tcp"] || (EASY_MODES as readonly string[]).includes(config["raw-mode"]);
  if (easy && (config["auto-rule"] || config["keep-rule"]))
    throw new ConfigError(
      "auto-rule",
      "--auto-rule: not allowed with easyfaketcp, whose connection the kernel makes; leave it out, none is needed",
    );
  const stream = config["raw-mode"] === "tcp";
  if (stream && (config["auto-rule"] || config["keep-rule"] || config["gen-rule"] || config["gen-add"]))
    throw new ConfigError(
      "auto-rule",
      "--auto-rule, --keep-rule, --gen-rule, --gen-add: not allowed with --raw-mode tcp, which needs no rule; leave it out",
    );
  const role = config.client ? "client" : "server";
  const password = given === undefined ? config.key : firstWord(given);
  const local = endpoint("local", "l", config.local);
  const remote = endpoint("remote", "r", config.remote);
  if (ipFamily(local.host) === 0)
    throw new ConfigError("local", `--local: "${config.local}" is not allowed; give a literal address with a port, such as 0.0.0.0:4096`);
  return {
    ...{ role, local, remote, password, passwordCut: given !== undefined && password !== given },
    stream,
    mode: easy || stream ? "faketcp" : (config["raw-mode"] as RawMode),
    easy,
    seqMode: config["seq-mode"] as SeqMode,
    cipherMode: config["cipher-mode"],
    authMode: config["auth-mode"],
    fixGro: config["fix-gro"],
    heartbeatBytes: config["hb-len"],
    heartbeatMode: config["hb-mode"] as 0 | 1,
    antiReplay: !config["disable-anti-replay"] && (config["cipher-mode"] === AEAD_MODE || config["auth-mode"] !== "none"),
    ttl: config["set-ttl"],
    bufferBytes: config["sock-buf"] * 1024,
    sourceIp: role === "client" ? sourceIp(config["source-ip"], remote) : undefined,
    sourcePort: role === "client" && config["source-port"] > 0 ? config["source-port"] : undefined,
    mtuWarnBytes: config["mtu-warn"],
    device: config.dev === "" ? undefined : config.dev,
    lowerLevel: lowerLevel(config["lower-level"]),
    fifo: role === "client" && config.fifo !== "" ? config.fifo : undefined,
    forceBuffers: config["force-sock-buf"],
    retryOnError: config["retry-on-error"],
    resetsShown: config["max-rst-to-show"],
    resetsAllowed: config["max-rst-allowed"] < 0 ? undefined : config["max-rst-allowed"],
    randomDrop: config["random-drop"],
    workers: workers(config),
    firewall: config["keep-rule"] ? "keep" : config["auto-rule"] ? "auto" : "none",
    logLevel: LOG_LEVELS[config["log-level"]]!,
    colors: !config["disable-color"],
  };
}

function endpoint(key: string, letter: string, text: string): RawEndpoint {
  if (text === "")
    throw new ConfigError(key, `-${letter}: nothing given; give an address with a port, such as 192.0.2.1:4096 or [2001:db8::1]:4096`);
  const { host, port } = parseHostPort(key, text);
  // Which of the families an address is of decides what the packets are: there is none that means both.
  if (text.startsWith(":"))
    throw new ConfigError(key, `--${key}: "${text}" is not allowed; give 0.0.0.0${text} for IPv4 or [::]${text} for IPv6`);
  // As the original: a rule for ssh's port would lock its user out.
  if (port === 22) throw new ConfigError(key, `--${key}: port 22 is not allowed, it is ssh's; give another one from 1 to 65535`);
  return { host, port };
}

function workers({ workers: wanted, client, "source-port": port }: RawConfig): number {
  if (wanted > 1 && client && port > 0)
    throw new ConfigError("workers", `--workers: ${wanted} are not allowed with --source-port, which one connection has; give 1`);
  return wanted;
}

function lowerLevel(text: string): LowerLevel | undefined {
  if (text === "") return undefined;
  if (text === "auto" || text === "route") return text;
  const [, device, address = ""] = /^([^#/\s]{1,15})#(.*)$/.exec(text) ?? [];
  const mac = parseHardwareAddress(address);
  if (device !== undefined && mac !== undefined) return { device, mac };
  throw new ConfigError(
    "lower-level",
    `--lower-level: "${text}" is not allowed; give route, auto or an interface and an address, such as eth0#00:16:3e:0a:0b:0c`,
  );
}

function sourceIp(text: string, remote: RawEndpoint): string | undefined {
  if (text === "") return undefined;
  const family = ipFamily(text);
  const wanted = ipFamily(remote.host);
  if (family !== 0 && (wanted === 0 || family === wanted)) return text;
  throw new ConfigError(
    "source-ip",
    `--source-ip: "${text}" is not allowed; give a literal ${wanted === 0 ? "" : `IPv${wanted} `}address of this machine`,
  );
}

/** Undefined: nothing given, the original's default holds. */
function givenPassword(path: string, key: string | undefined, variable: string | undefined): string | undefined {
  if (key !== undefined && path !== "") throw new ConfigError("key-file", "--key and --key-file: both given; give one of them");
  if (key !== undefined) return key;
  if (path === "") return variable === "" ? undefined : variable;
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new ConfigError("key-file", `--key-file: "${path}" cannot be used: ${(error as Error).message}`);
  }
}

function firstWord(text: string): string {
  const word = passwordOf(text);
  if (word === "") throw new ConfigError("key", "--key: nothing but blanks given; give a password without blanks");
  return word;
}

const LOG_LEVELS: readonly LogLevel[] = ["silent", "error", "error", "warn", "info", "debug", "debug"];
