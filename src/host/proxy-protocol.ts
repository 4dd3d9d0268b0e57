/**
 * Header of the PROXY protocol, version 2: tells the target who is at the other end of the connection.
 *
 *    0            12     13     14       16
 *   ┌────────────┬──────┬──────┬────────┬─────────────┬──────────────────┬──────────┬───────────────┐
 *   │ signature  │ 0x21 │ fam  │ length │ source host │ destination host │ src port │ dst port      │   big endian
 *   └────────────┴──────┴──────┴────────┴─────────────┴──────────────────┴──────────┴───────────────┘
 *   fam 0x11: TCP over IPv4, hosts of 4 bytes · 0x21: TCP over IPv6, hosts of 16 bytes · 0x12, 0x22: UDP · 0x00 and length 0: not known
 *
 * Source: "The PROXY protocol", HAProxy, section 2.2.
 */
import { Writer } from "../base/cursor.ts";
import { formatIp, IP_BYTES, isMapped, isUnspecified, parseIp } from "./ip-address.ts";

export interface ProxiedAddress {
  /** Literal address. */
  readonly host: string;
  readonly port: number;
}

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const VERSION_2_PROXY = 0x21;
const IPV4 = 0x10;
const IPV6 = 0x20;
const STREAM = 1;
const DATAGRAM = 2;
const UNSPEC = 0x00;
const IPV4_AT = 12;

export function proxyHeader(source: ProxiedAddress, destination: ProxiedAddress, protocol: "TCP" | "UDP" = "TCP"): Uint8Array {
  const transport = protocol === "TCP" ? STREAM : DATAGRAM;
  const writer = new Writer(64).put(SIGNATURE).u8(VERSION_2_PROXY);
  const hosts = new Uint8Array(2 * IP_BYTES);
  if (!parseIp(source.host, hosts, 0) || !parseIp(destination.host, hosts, IP_BYTES)) return writer.u8(UNSPEC).u16(0).finish();
  const [from, to] = [hosts.subarray(0, IP_BYTES), hosts.subarray(IP_BYTES)];
  // Where sockets do not tell which address of ours was asked, it is "::": all zeros in either family.
  if (isMapped(hosts, 0) && (isMapped(hosts, IP_BYTES) || isUnspecified(destination.host)))
    writer
      .u8(IPV4 | transport)
      .u16(12)
      .put(from.subarray(IPV4_AT))
      .put(to.subarray(IPV4_AT));
  else
    writer
      .u8(IPV6 | transport)
      .u16(36)
      .put(from)
      .put(to);
  return writer.u16(source.port).u16(destination.port).finish();
}

const HEAD_BYTES = 16;
/** Of what follows the head: addresses of either family, and a few hundred bytes of other facts. */
const BODY_BYTES_MAX = 1024;
const VERSION_2_LOCAL = 0x20;

export interface ReadHeader {
  /** Bytes of the header; what follows is the connection's own. */
  readonly length: number;
  /** Who is at the other end; undefined where the header does not say, as in a proxy's own checks. */
  readonly source: ProxiedAddress | undefined;
}

/** A header at the beginning of what came: "more" where it is not whole yet, undefined where it is none. */
export function readProxyHeader(bytes: Uint8Array): ReadHeader | "more" | undefined {
  for (let i = 0; i < Math.min(SIGNATURE.length, bytes.length); i++) if (bytes[i] !== SIGNATURE[i]) return undefined;
  if (bytes.length < HEAD_BYTES) return "more";
  const [command, family, body] = [bytes[12]!, bytes[13]!, (bytes[14]! << 8) | bytes[15]!];
  if ((command !== VERSION_2_PROXY && command !== VERSION_2_LOCAL) || body > BODY_BYTES_MAX) return undefined;
  const length = HEAD_BYTES + body;
  if (bytes.length < length) return "more";
  const size = family >> 4 === IPV4 >> 4 ? 4 : family >> 4 === IPV6 >> 4 ? IP_BYTES : 0;
  if (command === VERSION_2_LOCAL || size === 0 || body < 2 * size + 4) return { length, source: undefined };
  const address = new Uint8Array(IP_BYTES);
  if (size === 4) address.set([0xff, 0xff], 10);
  address.set(bytes.subarray(HEAD_BYTES, HEAD_BYTES + size), IP_BYTES - size);
  const at = HEAD_BYTES + 2 * size;
  return { length, source: { host: formatIp(address, 0, 0), port: (bytes[at]! << 8) | bytes[at + 1]! } };
}
