/** `longhaul raw explain`: what a configuration puts on the wire, what fits inside, and how much it protects. Nothing secret is in it. */

import { type IpVersion, RawSizes } from "../carrier/raw-sizes.ts";
import { AEAD_MODE } from "../faketcp/cipher-mode.ts";
import { DEFAULT_PASSWORD } from "../faketcp/keys.ts";
import { timing } from "../faketcp/options.ts";
import { DATA_HEAD_BYTES } from "../faketcp/packet.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { RawSettings } from "./raw-settings.ts";
import { isWeak, weakness } from "./raw-weakness.ts";

export function explainRaw(settings: RawSettings): string {
  if (settings.stream) return STREAM;
  const sizes = new RawSizes(settings.mode, settings);
  const versions: readonly IpVersion[] = [4, 6];
  const own = rawVersion(settings);
  const fits = sizes.largestDatagram(own ?? 6, PATH_BYTES);
  return [
    `${settings.role}: ${settings.mode}, ${modes(settings)}${settings.fixGro ? ", fix-gro" : ""}${
      settings.mode === "faketcp" ? `, seq-mode ${settings.seqMode}` : ""
    }, ${own === undefined ? "IPv4 or IPv6 as the server's name says" : `IPv${own}`}`,
    "",
    "A packet with data",
    ...layout(settings),
    "",
    `${"datagram".padStart(10)}${"sealed".padStart(8)}${versions.map((version) => `IPv${version} packet`.padStart(13)).join("")}`,
    ...EXAMPLES.map((bytes) => row(sizes, versions, bytes)),
    `${"".padStart(10)}! longer than ${PATH_BYTES} bytes`,
    "",
    `The largest datagram in an IP packet of ${PATH_BYTES} bytes: ${versions
      .map((version) => `${sizes.largestDatagram(version, PATH_BYTES)} (IPv${version})`)
      .join(", ")}. Longer ones are lost, as packets are`,
    `never fragmented: give --mtu ${fits} at most to a tunnel (longhaul client, kcptun) that runs through it, MTU ${Math.floor((fits - WIREGUARD_BYTES) / 16) * 16} to WireGuard.`,
    ...(settings.mtuWarnBytes > fits + 1
      ? [`--mtu-warn ${settings.mtuWarnBytes} comes too late for that: from ${fits + 1} on a datagram is lost.`]
      : []),
    "",
    `Start-up, IPv${own ?? 4} packets`,
    ...startUp(settings, sizes, own ?? 4),
    "",
    `While idle: a heartbeat each way about every ${timing.heartbeatMs / 1000} s, ${kilobits(settings, sizes, own ?? 4)} kbit/s each way.`,
    "",
    ...protection(settings),
    "",
  ].join("\n");
}

/** Of the raw side; undefined when the server is given by name. */
export function rawVersion({ role, local, remote }: RawSettings): IpVersion | undefined {
  const family = ipFamily(role === "client" ? remote.host : local.host);
  return family === 0 ? undefined : family;
}

function modes({ cipherMode, authMode }: RawSettings): string {
  return cipherMode === AEAD_MODE ? `${cipherMode} (between two of ours)` : `${cipherMode} + ${authMode}`;
}

function layout({ mode, cipherMode, authMode, fixGro }: RawSettings): string[] {
  const head = { faketcp: "TCP 32 (20 + timestamps)", icmp: "ICMP echo 8", udp: "UDP 8" }[mode];
  const length = fixGro ? "length 2 | " : "";
  if (cipherMode === AEAD_MODE)
    return [
      `  IP 20 (IPv6: 40) | ${head} | ${length}id and number 12, masked | ${cipherMode}( type and conversation 6 + datagram ) | tag 16`,
    ];
  const check = { hmac_sha1: "HMAC 20", md5: "MD5 16", crc32: "CRC32 4", simple: "hashes 8", none: "" }[authMode];
  const added = cipherMode === "aes128cbc" ? " + 1…16" : "";
  const inside = `ids and number ${DATA_HEAD_BYTES} + datagram`;
  const within = authMode === "hmac_sha1" || check === "" ? inside : `${inside} + ${check}`;
  const encrypted = cipherMode === "none" ? within : `${cipherMode}( ${within}${added} )`;
  return [`  IP 20 (IPv6: 40) | ${head} | ${length}${encrypted}${authMode === "hmac_sha1" ? ` | ${check}` : ""}`];
}

function row(sizes: RawSizes, versions: readonly IpVersion[], bytes: number): string {
  const sealed = sizes.datagram(bytes);
  const packets = versions.map((version) => {
    const packet = sealed + sizes.headers(version);
    return `${packet}${packet > PATH_BYTES ? " !" : "  "}`.padStart(13);
  });
  return `${String(bytes).padStart(10)}${String(sealed).padStart(8)}${packets.join("")}`.trimEnd();
}

function startUp({ mode, heartbeatBytes }: RawSettings, sizes: RawSizes, version: IpVersion): string[] {
  const bare = sizes.bare + sizes.headers(version);
  const heartbeat = sizes.heartbeat(heartbeatBytes) + sizes.headers(version);
  const steps: readonly (readonly [string, string, number])[] = [
    ...(mode === "faketcp"
      ? ([
          ["client", "SYN", sizes.syn(version)],
          ["server", "SYN-ACK", sizes.syn(version)],
          ["client", "ACK", sizes.headers(version)],
        ] as const)
      : []),
    ["client", "its id", bare],
    ["server", "its id, the client's", bare],
    ["client", "both ids", bare],
    ["server", "heartbeat: ready", heartbeat],
    ["client", "heartbeat: ready", heartbeat],
  ];
  return steps.map(([from, what, bytes]) => `  ${from}  ${String(bytes).padStart(5)}  ${what}`);
}

function kilobits({ heartbeatBytes }: RawSettings, sizes: RawSizes, version: IpVersion): string {
  const packet = sizes.heartbeat(heartbeatBytes) + sizes.headers(version);
  return ((packet * 8) / timing.heartbeatMs).toFixed(1);
}

/** Source: reference udp2raw.md section 9. */
function protection({ cipherMode, authMode, password, passwordCut, antiReplay }: RawSettings): string[] {
  const lines = [`Weakness: ${weakness(cipherMode, authMode)}.`];
  if (isWeak(cipherMode, authMode))
    lines.push(
      "Recommended: no --cipher-mode and no --auth-mode between two of ours, --cipher-mode aes128cbc --auth-mode hmac_sha1 with a udp2raw.",
    );
  if (!antiReplay) lines.push("Replayed packets are taken: anti-replay is off.");
  if (password === DEFAULT_PASSWORD) lines.push("The password is udp2raw's public default: anybody can connect and read; give --key-file.");
  if (passwordCut) lines.push("The password ends at its first blank, as udp2raw reads it: what is behind does not count.");
  return lines;
}

const EXAMPLES: readonly number[] = [0, 100, 1200, 1400];
const PATH_BYTES = 1500;
/** Header and tag of a WireGuard data message, whose content is filled up to a multiple of 16. */
const WIREGUARD_BYTES = 32;

const STREAM = `tcp: real TCP connections, one for each application that sends UDP; between two of ours only.

A record
  length 2 | aes128gcm( datagrams, each behind its length 2 ) | tag 16

Datagrams of up to 1500 bytes; several that wait leave in one record. What a slow connection does not take in half a second is dropped.
While idle: an empty record each way every 3 s. Keys are new for each connection; there is no forward secrecy.
`;
