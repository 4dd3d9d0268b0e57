/** Runs in a worker thread of `longhaul raw`: one end of raw connections on the loop it is given. */
import { HostError } from "../base/errors.ts";
import { LinkApplications } from "../carrier/link-applications.ts";
import { LinkTarget } from "../carrier/link-target.ts";
import type { RawObservation } from "../carrier/observation.ts";
import { RawClientCarrier } from "../carrier/raw-client.ts";
import { RawServerCarrier } from "../carrier/raw-server.ts";
import type { CarrierSettings } from "../carrier/settings.ts";
import { TcpCarrier } from "../carrier/tcp-carrier.ts";
import { deriveKeys } from "../faketcp/keys.ts";
import { crc32, faketcpPrimitives, randomFill } from "../host/faketcp-crypto.ts";
import { createLog, type Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import { EpollLoop } from "../host/loop-epoll.ts";
import { sourceAddress } from "../host/route.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import { tcpSettings } from "./carriers.ts";
import type { RawSettings } from "./raw-settings.ts";

export interface RawData {
  /** `remote` is an address. */
  readonly settings: RawSettings;
  /** The server's name, where it was given by one. */
  readonly name: string | undefined;
  /** Several threads of a server share its packets. */
  readonly fanout: CarrierSettings["fanout"];
}

/** main → worker */
export type RawCommand = { readonly kind: "reconnect" };

/** worker → main */
export type RawMessage =
  | { readonly kind: "carrying" }
  | { readonly kind: "refused"; readonly code: string; readonly syscall: string; readonly address: string | undefined }
  /** The name has another address now. */
  | { readonly kind: "moved"; readonly address: string };

export function start(loop: Loop, { settings, name, fanout }: RawData, port: LoopPort<RawCommand, RawMessage>): Program | undefined {
  const log = createLog(settings.logLevel).child({ module: "raw" });
  try {
    if (!(loop instanceof EpollLoop)) throw new HostError("ENOSYS", "raw packets", "need the system calls of Linux");
    if (settings.stream) {
      const carrier = carryStream(loop, settings, log);
      port.post({ kind: "carrying" });
      const none = { conversations: 0, connections: [], connectionsOmitted: 0 };
      return { counters: (): RawObservation => ({ counted: { carrier: { ...carrier.counters } }, ...none }) };
    }
    if (settings.role === "server") {
      const server = new RawServerCarrier(loop, { ...carrierSettings(settings), ...(fanout === undefined ? {} : { fanout }) }, log);
      port.post({ kind: "carrying" });
      return { counters: (now) => server.observe(now) };
    }
    // Without a route it is better to say so at once than to try for ever, unless that is wished.
    if (!settings.retryOnError) sourceAddress(loop.sys, settings.remote);
    const moved = (address: string): void => port.post({ kind: "moved", address });
    const client = new RawClientCarrier(loop, { ...carrierSettings(settings), ...(name === undefined ? {} : { name, moved }) }, log);
    port.onCommand((_command, now) => client.reconnect(now));
    port.post({ kind: "carrying" });
    return { counters: (now) => client.observe(now) };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const { code, syscall, address } = error;
    port.post({ kind: "refused", code, syscall, address });
    loop.stop();
    return undefined;
  }
}

/** Raw mode tcp: datagrams in TCP connections. */
function carryStream(loop: EpollLoop, settings: RawSettings, log: Log): LinkApplications | LinkTarget {
  const { role, local, remote, password, bufferBytes } = settings;
  const tcp = tcpSettings({ password, connections: 1, congestion: "bbr" });
  const carrier = new TcpCarrier(loop, { ...tcp, eager: true }, log);
  const ends = { local, remote, socketBufferBytes: bufferBytes };
  return role === "client" ? new LinkApplications(loop, carrier, ends) : new LinkTarget(loop, carrier, ends, log);
}

function carrierSettings(settings: RawSettings): CarrierSettings {
  const { local, remote, sourceIp, sourcePort, bufferBytes, forceBuffers, device, lowerLevel, mtuWarnBytes } = settings;
  const { mode, easy, seqMode, cipherMode, authMode, fixGro, heartbeatBytes, heartbeatMode, antiReplay, ttl } = settings;
  const keys = deriveKeys(settings.password, faketcpPrimitives, cipherMode);
  const core = { keys, primitives: faketcpPrimitives, crc32, random: randomFill };
  return {
    raw: { mode, easy, seqMode, cipherMode, authMode, fixGro, heartbeatBytes, heartbeatMode, antiReplay, ttl, ...core },
    ...{ local, remote, socketBufferBytes: bufferBytes, forceBuffers, mtuWarnBytes },
    ...{ resetsShown: settings.resetsShown, randomDrop: settings.randomDrop },
    ...(settings.resetsAllowed === undefined ? {} : { resetsAllowed: settings.resetsAllowed }),
    ...(device === undefined ? {} : { device }),
    ...(lowerLevel === undefined ? {} : { lowerLevel }),
    ...(sourceIp === undefined ? {} : { sourceHost: sourceIp }),
    ...(sourcePort === undefined ? {} : { sourcePort }),
  };
}
