/** Makes what carries a tunnel's datagrams, on the tunnel's thread, as it was planned on the main one (carrier-plan.ts). */
import { ConfigError } from "../base/errors.ts";
import { RawCarrier, type RawCarrierSettings } from "../carrier/raw-carrier.ts";
import { deriveKeys } from "../faketcp/keys.ts";
import { crc32, faketcpPrimitives, randomFill } from "../host/faketcp-crypto.ts";
import { udpCarrier } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import { EpollLoop } from "../host/loop-epoll.ts";
import type { CarrierAt } from "../tunnel/slot.ts";
import type { PlannedCarrier, PlannedRaw } from "./carrier-plan.ts";

/** `mtu`: the option's. @throws ConfigError, HostError when raw packets are not allowed */
export function makeCarriers(plan: readonly PlannedCarrier[], mtu: number, loop: Loop, log: Log): CarrierAt[] {
  return plan.map(({ name, at, raw }) => {
    const where = at === undefined ? {} : { at };
    if (raw === undefined) return { carrier: udpCarrier(loop), ...where };
    if (!(loop instanceof EpollLoop))
      throw new ConfigError("carrier", `--carrier: ${name} is not allowed with Node's own sockets (io ${loop.kind}); give udp`);
    const carrier = new RawCarrier(loop, rawSettings(name, raw), log);
    log.info({ carrier: name, ...at, mtu: Math.min(mtu, carrier.datagramBytesMax), most: carrier.datagramBytesMax }, "carrier");
    return { carrier, ...where };
  });
}

export function rawSettings(name: string, { password, options, version, source }: PlannedRaw): RawCarrierSettings {
  const raw = { ...options, keys: deriveKeys(password, faketcpPrimitives), primitives: faketcpPrimitives, crc32, random: randomFill };
  return { name, raw, version, ...source };
}
