/** What carries a tunnel's datagrams, as options carrier, rawkey, raw and tcpcarrier say it: checked, and in one shape for the tunnel's thread (carriers.ts). */
import { existsSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import type { RawCarrierSettings } from "../carrier/raw-carrier.ts";
import type { HostPort } from "../carrier/settings.ts";
import type { RawMode, SeqMode } from "../faketcp/mode.ts";
import type { RawOptions } from "../faketcp/options.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { TlsOptions } from "../host/tls-openssl.ts";
import { parseHostPort, parsePortRange } from "../tunnel/address.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import { parseServer } from "../tunnel/server-address.ts";
import { checkGiven } from "./flags.ts";
import { rawConfig } from "./raw-options.ts";
import { checkModes } from "./raw-settings.ts";

type End = { readonly role: "client"; readonly config: ClientConfig } | { readonly role: "server"; readonly config: ServerConfig };

/** udp2raw's three, under names that say what is on the wire: "udp" is the tunnel's own UDP. */
const rawModes: Readonly<Record<string, RawMode>> = { faketcp: "faketcp", easyfaketcp: "faketcp", icmp: "icmp", rawudp: "udp" };
const NAMES = ["udp", ...Object.keys(rawModes), "tcp", "tcpraw"];

export interface PlannedCarrier {
  readonly name: string;
  /** A server's, where it is not --listen's. */
  readonly at: HostPort | undefined;
  readonly raw?: PlannedRaw | undefined;
  readonly tcp?: PlannedTcp | undefined;
}

export interface PlannedTcp {
  /** Secret. */
  readonly password: string;
  /** 1…16. */
  readonly connections: number;
  /** Wanted of the kernel. */
  readonly congestion: string;
  readonly tls?: { readonly role: "client" | "server"; readonly options: TlsOptions };
}

export interface PlannedRaw {
  /** Secret. */
  readonly password: string;
  readonly options: Omit<RawOptions, "keys" | "primitives" | "crc32" | "random">;
  readonly version: 4 | 6;
  readonly source: Pick<RawCarrierSettings, "sourceHost" | "sourcePort">;
}

/** @throws ConfigError */
export function carrierPlan(end: End): PlannedCarrier[] {
  const plan = end.role === "client" ? clientCarriers(end.config) : serverCarriers(end.config);
  if (
    end.role === "server" &&
    end.config.users !== "" &&
    end.config.rawkey === "" &&
    plan.some(({ raw, tcp }) => raw !== undefined || tcp !== undefined)
  )
    throw new ConfigError("rawkey", "--rawkey: nothing given; with --users there is no key for all, so give the carrier one of its own");
  return plan;
}

function clientCarriers(config: ClientConfig): PlannedCarrier[] {
  const { host } = parseServer("remoteaddr", config.remoteaddr);
  // A name may turn out to be IPv6, whose headers are longer.
  const version = ipFamily(host) === 4 ? 4 : 6;
  const name = config.tcp ? "tcpraw" : config.carrier;
  if (config.tcp && config.carrier !== "udp" && config.carrier !== "tcpraw")
    throw new ConfigError(
      "tcp",
      `--tcp and --carrier: "${config.carrier}" is not allowed with --tcp, which is carrier tcpraw; give one of them`,
    );
  if (config.copies > 0 && config.path.length === 0)
    throw new ConfigError("copies", `--copies: ${config.copies} is not allowed without --path; give a second way, or leave it out`);
  return [
    { name, at: undefined, raw: plannedRaw(config, name, version), tcp: plannedTcp(config, name) },
    ...config.path.map((text) => way(config, text)),
  ];
}

/** Of one --path. */
function way(config: ClientConfig, text: string): PlannedCarrier {
  const [, name = "udp", address = ""] = /^(?:([a-z]+)=)?(.*)$/s.exec(text) ?? [];
  if (!NAMES.includes(name))
    throw new ConfigError(
      "path",
      `--path: "${text}" is not allowed; give [CARRIER=]host:port[%INTERFACE] with a CARRIER of ${NAMES.join(", ")}`,
    );
  const { host, least, most } = parseServer("path", address);
  if (least !== most) throw new ConfigError("path", `--path: "${text}" is not allowed; give one port and no range`);
  const version = ipFamily(host) === 4 ? 4 : 6;
  return { name, at: undefined, raw: plannedRaw(config, name, version), tcp: plannedTcp(config, name) };
}

function serverCarriers(config: ServerConfig): PlannedCarrier[] {
  const { host, least, most } = parsePortRange("listen", config.listen, 0);
  if (config.carrier.length === 0) throw new ConfigError("carrier", `--carrier: nothing given; give one of ${NAMES.join(", ")}`);
  const wanted = config.tcp && !config.carrier.includes("tcpraw") ? [...config.carrier, "tcpraw"] : config.carrier;
  return wanted.flatMap((text): PlannedCarrier[] => {
    const [name = "", address] = text.split(/=(.*)/s);
    if (!NAMES.includes(name))
      throw new ConfigError(
        "carrier",
        `--carrier: "${text}" is not allowed; give NAME or NAME=host:port with a NAME of ${NAMES.join(", ")}`,
      );
    const given = address === undefined ? undefined : parseHostPort("carrier", address);
    if (name === "udp") return [{ name, at: given }];
    if (given === undefined && least !== most)
      throw new ConfigError("carrier", `--carrier: "${text}" is not allowed with a range of ports in --listen; give ${name}=host:port`);
    const at = given ?? { host, port: least };
    if (name === "tcpraw") return [{ name, at }];
    if (name === "tcp") return [{ name, at, tcp: plannedTcp(config, name) }];
    // The kernel's listener of IPv6 would take IPv4 too: whoever wants IPv6 names the address.
    const hosts = name === "easyfaketcp" && at.host === "::" ? ["0.0.0.0"] : families(at.host);
    return hosts.map((any) => ({
      name,
      at: { host: any, port: at.port },
      raw: plannedRaw(config, name, any.includes(":") ? 6 : 4),
    }));
  });
}

/** Raw packets are of one family: all addresses are those of each. */
function families(host: string): string[] {
  if (host !== "::") return [host];
  return existsSync("/proc/net/if_inet6") ? ["0.0.0.0", "::"] : ["0.0.0.0"];
}

/** Of udp2raw's options, what a tunnel's carrier has under --raw. */
const rawOfTunnel = rawConfig.pick({
  ...{ compat: true, "cipher-mode": true, "auth-mode": true, "seq-mode": true, "fix-gro": true, "hb-len": true, "set-ttl": true },
  ...{ "source-ip": true, "source-port": true },
});

function plannedRaw({ raw, rawkey, key }: ClientConfig | ServerConfig, name: string, version: 4 | 6): PlannedRaw | undefined {
  const mode = rawModes[name];
  if (mode === undefined) return undefined;
  checkModes(raw);
  const given = checked("raw", rawOfTunnel, raw);
  const { "source-ip": sourceIp, "source-port": sourcePort } = given;
  return {
    password: rawkey === "" ? key : rawkey,
    options: {
      mode,
      easy: name === "easyfaketcp",
      cipherMode: given["cipher-mode"],
      authMode: given["auth-mode"],
      seqMode: given["seq-mode"] as SeqMode,
      fixGro: given["fix-gro"],
      heartbeatBytes: given["hb-len"],
      ttl: given["set-ttl"],
    },
    version,
    source: { ...(sourceIp === "" ? {} : { sourceHost: sourceIp }), ...(sourcePort === 0 ? {} : { sourcePort }) },
  };
}

const tcpOfTunnel = z.strictObject({
  connections: z.coerce
    .number()
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe("a client's connections to the server; several hold each other up less"),
  congestion: z
    .string()
    .regex(/^[a-z0-9_-]{1,15}$/)
    .default("bbr")
    .describe("the kernel's congestion control, where it has it"),
  tls: z.stringbool().default(false).describe("connections by TLS"),
  cert: z.string().default("").describe("server: PEM file of the certificate and its chain"),
  certkey: z.string().default("").describe("server: PEM file of its key; by default the same file"),
  ca: z.string().default("").describe("client: PEM file of authorities; by default the system's"),
  pin: z
    .string()
    .regex(/^([0-9a-fA-F]{64})?$/)
    .default("")
    .describe("client: SHA-256 of the server's certificate, 64 hexadecimal digits, instead of authorities"),
  name: z.string().default("").describe("client: the server's name in TLS, by default that of --remoteaddr"),
});

function plannedTcp(config: ClientConfig | ServerConfig, carrier: string): PlannedTcp | undefined {
  if (carrier !== "tcp") return undefined;
  const { connections, congestion, ...given } = checked("tcpcarrier", tcpOfTunnel, config.tcpcarrier);
  const tls = given.tls ? { tls: "listen" in config ? serverTls(given) : clientTls(given, config.remoteaddr) } : {};
  return { password: config.rawkey === "" ? config.key : config.rawkey, connections, congestion, ...tls };
}

type GivenTls = Omit<z.output<typeof tcpOfTunnel>, "connections" | "congestion">;

function serverTls({ cert, certkey }: GivenTls): NonNullable<PlannedTcp["tls"]> {
  if (cert === "")
    throw new ConfigError("tcpcarrier", "--tcpcarrier cert: nothing given; tls at a server needs the PEM file of its certificate");
  return { role: "server", options: { certificate: cert, ...(certkey === "" ? {} : { key: certkey }) } };
}

function clientTls({ ca, pin, name }: GivenTls, remoteaddr: string): NonNullable<PlannedTcp["tls"]> {
  const { host } = parseServer("remoteaddr", remoteaddr);
  const wanted = name !== "" ? name : ipFamily(host) === 0 ? host : undefined;
  if (wanted === undefined && pin === "")
    throw new ConfigError(
      "tcpcarrier",
      "--tcpcarrier name: nothing given; with an address in --remoteaddr tls needs the server's name, or a pin",
    );
  return {
    role: "client",
    options: {
      ...(wanted === undefined ? {} : { name: wanted }),
      ...(pin === "" ? {} : { pin }),
      ...(ca === "" ? {} : { authorities: ca }),
    },
  };
}

function checked<Schema extends z.ZodObject>(option: string, schema: Schema, given: Readonly<Record<string, string>>): z.output<Schema> {
  try {
    return checkGiven(schema, { ...given });
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(option, error.message.replace(/^--/, `--${option} `));
    throw error;
  }
}
