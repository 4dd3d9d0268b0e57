/**
 * Ranges of IP addresses, as numbers: one address, first-last, or a prefix.
 *
 *   192.0.2.1    192.0.2.10-192.0.2.19    192.0.2.0/24    2001:db8::/64
 *
 * Source: RFC 4291 section 2.2 and 2.3, RFC 4632 section 3.1. Deviation: a prefix with bits behind its length is refused, it is more often a slip.
 */
import { addressBytes, formatIp, IP_BYTES, ipFamily } from "../host/ip-address.ts";

export type Family = 4 | 6;

export interface IpRange {
  readonly family: Family;
  readonly first: bigint;
  /** Not below `first`; equal to it: one address. */
  readonly last: bigint;
}

/** Undefined when the text is none of the three. */
export function parseIpRange(text: string): IpRange | undefined {
  const single = parseAddress(text);
  if (single !== undefined) return { family: single.family, first: single.value, last: single.value };
  const slash = text.indexOf("/");
  if (slash > 0) return parsePrefix(text.slice(0, slash), text.slice(slash + 1));
  const dash = text.indexOf("-");
  if (dash < 0) return undefined;
  const first = parseAddress(text.slice(0, dash));
  const last = parseAddress(text.slice(dash + 1));
  if (first === undefined || last === undefined || first.family !== last.family || first.value > last.value) return undefined;
  return { family: first.family, first: first.value, last: last.value };
}

/** "192.0.2.1", or "192.0.2.1-192.0.2.9" for more than one. */
export function formatIpRange({ family, first, last }: IpRange): string {
  return first === last ? formatAddress(family, first) : `${formatAddress(family, first)}-${formatAddress(family, last)}`;
}

/** A literal address without a zone as a number. */
export function parseAddress(text: string): { readonly family: Family; readonly value: bigint } | undefined {
  const family = ipFamily(text);
  if (family === 0 || text.includes("%")) return undefined;
  if (family === 4) {
    let value = 0;
    let part = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === DOT) {
        value = value * 256 + part;
        part = 0;
      } else part = part * 10 + code - ZERO;
    }
    return { family, value: BigInt(value * 256 + part) };
  }
  let value = 0n;
  for (const byte of addressBytes(text)) value = (value << 8n) | BigInt(byte);
  return { family, value };
}

export function formatAddress(family: Family, value: bigint): string {
  if (family === 4) {
    const n = Number(value);
    return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
  }
  return formatIp(bytesOf(family, value), 0);
}

/** 16 bytes in network order; IPv4 in its mapped form, as host/ip-address.ts has it. */
export function bytesOf(family: Family, value: bigint): Uint8Array {
  const bytes = new Uint8Array(IP_BYTES);
  let rest = family === 4 ? value | 0xffff_0000_0000n : value;
  for (let i = IP_BYTES - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/** Addresses in the range. */
export function sizeOf({ first, last }: IpRange): bigint {
  return last - first + 1n;
}

export function contains(range: IpRange, family: Family, value: bigint): boolean {
  return range.family === family && value >= range.first && value <= range.last;
}

function parsePrefix(address: string, length: string): IpRange | undefined {
  const base = parseAddress(address);
  const bits = base?.family === 4 ? 32 : 128;
  if (base === undefined || !/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  const hosts = (1n << BigInt(bits - Number(length))) - 1n;
  return (base.value & hosts) === 0n ? { family: base.family, first: base.value, last: base.value | hosts } : undefined;
}

const DOT = 46;
const ZERO = 48;
