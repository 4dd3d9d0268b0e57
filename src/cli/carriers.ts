/**
 * What carries a tunnel's datagrams, as options carrier, rawkey and raw say it: checked on the main thread (`carrierPlan`), made on the tunnel's
 * (`makeCarriers`).
 */
import { existsSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";
import { RawCarrier, type RawCarrierSettings } from "../carrier/raw-carrier.ts";
import type { HostPort } from "../carrier/settings.ts";
import { deriveKeys } from "../faketcp/keys.ts";
import type { RawMode, SeqMode } from "../faketcp/mode.ts";
import type { RawOptions } from "../faketcp/options.ts";
import { crc32, faketcpPrimitives, randomFill } from "../host/faketcp-crypto.ts";
import { ipFamily } from "../host/ip-address.ts";
import { udpCarrier } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import { EpollLoop } from "../host/loop-epoll.ts";
import { parseHostPort, parsePortRange } from "../tunnel/address.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import type { CarrierAt } from "../tunnel/slot.ts";
import { checkGiven } from "./flags.ts";
import { rawConfig } from "./raw-options.ts";

type End = { readonly role: "client"; readonly config: ClientConfig } | { readonly role: "server"; readonly config: ServerConfig };

export type CarrierName = "udp" | keyof typeof rawModeOf;

/** udp2raw's three, under names that say what is on the wire: "udp" is the tunnel's own UDP. */
const rawModeOf = { faketcp: "faketcp", icmp: "icmp", rawudp: "udp" } as const satisfies Record<string, RawMode>;

export interface PlannedCarrier {
  readonly name: CarrierName;
  /** A server's, where it is not --listen's. */
  readonly at: HostPort | undefined;
  readonly version: 4 | 6;
}

/** @throws ConfigError */
export function carrierPlan(end: End): PlannedCarrier[] {
  const plan = end.role === "client" ? [clientCarrier(end.config)] : serverCarriers(end.config);
  if (plan.some(({ name }) => name !== "udp")) {
    checkedRaw(end.config);
    const { users, rawkey } = end.config as ServerConfig;
    if (end.role === "server" && users !== "" && rawkey === "")
      throw new ConfigError("rawkey", "--rawkey: nothing given; with --users there is no key for all, so give the carrier one of its own");
  }
  return plan;
}

/** @throws ConfigError, HostError when raw packets are not allowed */
export function makeCarriers(end: End, loop: Loop, log: Log): CarrierAt[] {
  return carrierPlan(end).map(({ name, at, version }) => {
    const where = at === undefined ? {} : { at };
    if (name === "udp") return { carrier: udpCarrier(loop), ...where };
    if (!(loop instanceof EpollLoop))
      throw new ConfigError("carrier", `--carrier: ${name} is not allowed with Node's own sockets (io ${loop.kind}); give udp`);
    const carrier = new RawCarrier(loop, rawSettings(end.config, name, version), log);
    log.info({ carrier: name, ...at, mtu: Math.min(end.config.mtu, carrier.datagramBytesMax), most: carrier.datagramBytesMax }, "carrier");
    return { carrier, ...where };
  });
}

function clientCarrier({ carrier, remoteaddr }: ClientConfig): PlannedCarrier {
  const { host } = parsePortRange("remoteaddr", remoteaddr);
  // A name may turn out to be IPv6, whose headers are longer.
  return { name: carrier, at: undefined, version: ipFamily(host) === 4 ? 4 : 6 };
}

function serverCarriers({ carrier, listen }: ServerConfig): PlannedCarrier[] {
  const { host, least, most } = parsePortRange("listen", listen, 0);
  if (carrier.length === 0) throw new ConfigError("carrier", `--carrier: nothing given; give one of ${NAMES.join(", ")}`);
  return carrier.flatMap((text): PlannedCarrier[] => {
    const [name = "", address] = text.split(/=(.*)/s);
    if (!(NAMES as readonly string[]).includes(name))
      throw new ConfigError(
        "carrier",
        `--carrier: "${text}" is not allowed; give NAME or NAME=host:port with a NAME of ${NAMES.join(", ")}`,
      );
    const given = address === undefined ? undefined : parseHostPort("carrier", address);
    if (name === "udp") return [{ name, at: given, version: 6 }];
    if (given === undefined && least !== most)
      throw new ConfigError("carrier", `--carrier: "${text}" is not allowed with a range of ports in --listen; give ${name}=host:port`);
    const at = given ?? { host, port: least };
    const { port } = at;
    return families(at.host).map((any) => ({ name: name as CarrierName, at: { host: any, port }, version: any.includes(":") ? 6 : 4 }));
  });
}

/** Raw packets are of one family: all addresses are those of each. */
function families(host: string): string[] {
  if (host !== "::") return [host];
  return existsSync("/proc/net/if_inet6") ? ["0.0.0.0", "::"] : ["0.0.0.0"];
}

/** What the options make of a raw carrier. @throws ConfigError */
export function rawSettings(config: ClientConfig | ServerConfig, name: keyof typeof rawModeOf, version: 4 | 6): RawCarrierSettings {
  const options = checkedRaw(config);
  const { "source-ip": sourceIp, "source-port": sourcePort } = options;
  const raw: RawOptions = {
    mode: rawModeOf[name],
    cipherMode: options["cipher-mode"],
    authMode: options["auth-mode"],
    seqMode: options["seq-mode"] as SeqMode,
    fixGro: options["fix-gro"],
    heartbeatBytes: options["hb-len"],
    ttl: options["set-ttl"],
    keys: deriveKeys(config.rawkey === "" ? config.key : config.rawkey, faketcpPrimitives),
    ...{ primitives: faketcpPrimitives, crc32, random: randomFill },
  };
  return { name, raw, version, ...(sourceIp === "" ? {} : { sourceHost: sourceIp }), ...(sourcePort === 0 ? {} : { sourcePort }) };
}

function checkedRaw({ raw }: ClientConfig | ServerConfig): ReturnType<typeof rawOfTunnel.parse> {
  try {
    return checkGiven(rawOfTunnel, { ...raw });
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError("raw", error.message.replace(/^--/, "--raw "));
    throw error;
  }
}

/** Of udp2raw's options, what a tunnel's carrier has under --raw. */
const rawOfTunnel = rawConfig.pick({
  ...{ "cipher-mode": true, "auth-mode": true, "seq-mode": true, "fix-gro": true, "hb-len": true, "set-ttl": true },
  ...{ "source-ip": true, "source-port": true },
});

export const NAMES: readonly CarrierName[] = ["udp", "faketcp", "icmp", "rawudp"];
