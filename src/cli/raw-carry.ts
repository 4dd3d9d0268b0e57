/** Runs one end of a raw connection: carrier, firewall's rule, signals. */
import { LinkApplications } from "../carrier/link-applications.ts";
import { LinkTarget } from "../carrier/link-target.ts";
import { RawClientCarrier } from "../carrier/raw-client.ts";
import { RawServerCarrier } from "../carrier/raw-server.ts";
import type { CarrierSettings } from "../carrier/settings.ts";
import { TcpCarrier } from "../carrier/tcp-carrier.ts";
import { DEFAULT_PASSWORD, deriveKeys } from "../faketcp/keys.ts";
import { crc32, faketcpPrimitives, randomFill } from "../host/faketcp-crypto.ts";
import { Firewall } from "../host/firewall.ts";
import { createLog, type Log } from "../host/log.ts";
import { EpollLoop } from "../host/loop-epoll.ts";
import { tcpSettings } from "./carriers.ts";
import { firewallPattern } from "./raw-rule.ts";
import type { RawSettings } from "./raw-settings.ts";
import { isWeak, weakness } from "./raw-weakness.ts";
import { onStop } from "./signals.ts";

/** `settings.remote` is an address. @throws HostError when raw packets or the rule cannot be had */
export async function carryRaw(settings: RawSettings): Promise<number> {
  const { role, mode, cipherMode, authMode, password, passwordCut, firewall } = settings;
  if (!settings.colors) process.env.NO_COLOR = "1";
  const log = createLog(settings.logLevel).child({ module: "raw" });
  if (password === DEFAULT_PASSWORD)
    log.warn({}, "the password is udp2raw's public default: anybody can connect and read; give --key-file");
  if (passwordCut) log.warn({}, "the password ends at its first blank, as udp2raw reads it");
  if (!settings.stream && isWeak(cipherMode, authMode))
    log.warn(
      { cipherMode, authMode },
      `weak: ${weakness(cipherMode, authMode)}; aes128gcm between two of ours, aes128cbc with hmac_sha1 to a udp2raw are better`,
    );
  let off: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    off = onStop((signal) => {
      log.info({ signal }, "stopping");
      resolve();
    });
  });
  let rules: Firewall | undefined;
  const loop = new EpollLoop();
  try {
    const carrier = role === "client" ? RawClientCarrier : RawServerCarrier;
    // Before the first packet leaves, so that the kernel answers none.
    if (firewall !== "none") rules = await Firewall.install(firewallPattern(settings), log);
    else if (mode === "icmp" && role === "server")
      log.warn({}, "no firewall rule: the kernel answers the client's pings as well; give -a, or add the rule that -g prints");
    const { counters } = settings.stream ? carryStream(loop, settings, log) : new carrier(loop, carrierSettings(settings), log);
    if (firewall === "keep") rules?.keep();
    loop.attach();
    log.info(
      { role, ...(settings.stream ? { mode: "tcp" } : { mode, cipherMode, authMode }), local: settings.local, remote: settings.remote },
      "carrying",
    );
    await stopped;
    log.info({ ...counters, ...(rules === undefined ? {} : { firewall: rules.counters }) }, "counters of this process");
    return 0;
  } finally {
    off();
    loop.stop();
    await rules?.remove();
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
  const { local, remote, sourceIp, sourcePort, bufferBytes } = settings;
  const { mode, easy, seqMode, cipherMode, authMode, fixGro, heartbeatBytes, heartbeatMode, antiReplay, ttl } = settings;
  const keys = deriveKeys(settings.password, faketcpPrimitives, cipherMode);
  const core = { keys, primitives: faketcpPrimitives, crc32, random: randomFill };
  return {
    raw: { mode, easy, seqMode, cipherMode, authMode, fixGro, heartbeatBytes, heartbeatMode, antiReplay, ttl, ...core },
    ...{ local, remote, socketBufferBytes: bufferBytes },
    ...(sourceIp === undefined ? {} : { sourceHost: sourceIp }),
    ...(sourcePort === undefined ? {} : { sourcePort }),
  };
}
