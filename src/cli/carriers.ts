/** Makes what carries a tunnel's datagrams, on the tunnel's thread, as it was planned on the main one (carrier-plan.ts). */
import { ConfigError } from "../base/errors.ts";
import { RawCarrier, type RawCarrierSettings } from "../carrier/raw-carrier.ts";
import { TcpCarrier, type TcpCarrierSettings } from "../carrier/tcp-carrier.ts";
import { plainTcp } from "../carrier/tcp-dialer.ts";
import { TcprawCarrier } from "../carrier/tcpraw-carrier.ts";
import { overTls } from "../carrier/tls-dialer.ts";
import { deriveKeys } from "../faketcp/keys.ts";
import { drawU32 } from "../faketcp/options.ts";
import { primitives } from "../host/crypto.ts";
import { crc32, faketcpPrimitives, randomFill } from "../host/faketcp-crypto.ts";
import { udpCarrier } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import { EpollLoop } from "../host/loop-epoll.ts";
import type { CarrierAt } from "../tunnel/slot.ts";
import type { PlannedCarrier, PlannedRaw, PlannedTcp } from "./carrier-plan.ts";

/** `mtu`: the option's. @throws ConfigError, HostError when raw packets are not allowed */
export function makeCarriers(plan: readonly PlannedCarrier[], mtu: number, loop: Loop, log: Log): CarrierAt[] {
  return plan.map(({ name, at, raw, tcp }) => {
    const where = at === undefined ? {} : { at };
    if (tcp !== undefined) {
      const carrier = new TcpCarrier(loop, tcpSettings(tcp), log);
      log.info({ carrier: name, ...at, mtu }, "carrier");
      return { carrier, ...where };
    }
    if (name === "udp") return { carrier: udpCarrier(loop), ...where };
    if (!(loop instanceof EpollLoop))
      throw new ConfigError("carrier", `--carrier: ${name} is not allowed with Node's own sockets (io ${loop.kind}); give udp`);
    const carrier =
      raw === undefined ? new TcprawCarrier(loop, () => drawU32(randomFill), log) : new RawCarrier(loop, rawSettings(name, raw), log);
    log.info({ carrier: name, ...at, mtu: Math.min(mtu, carrier.datagramBytesMax), most: carrier.datagramBytesMax }, "carrier");
    return { carrier, ...where };
  });
}

/** @throws HostError when a file of TLS cannot be used */
export function tcpSettings({ password, connections, congestion, tls }: PlannedTcp): TcpCarrierSettings {
  const { pbkdf2Sha256, hmacSha256 } = faketcpPrimitives;
  const plain = plainTcp({ congestion, unsentBytesMax: UNSENT_BYTES });
  const dial = tls === undefined ? plain : overTls(tls.role, tls.options, plain);
  return { password, primitives: { ...primitives, pbkdf2Sha256, hmacSha256 }, dial, connections };
}

/** Tuning: what waits in the kernel cannot be dropped any more. */
const UNSENT_BYTES = 16_384;

export function rawSettings(name: string, { password, options, version, source }: PlannedRaw): RawCarrierSettings {
  const raw = {
    ...options,
    keys: deriveKeys(password, faketcpPrimitives, options.cipherMode),
    primitives: faketcpPrimitives,
    crc32,
    random: randomFill,
  };
  return { name, raw, version, ...source };
}
