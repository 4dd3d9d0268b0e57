/** Networks: 198.51.100.0/24, 2001:db8::/64, or a single address. Source: RFC 4632 (IPv4), RFC 4291 section 2.3 (IPv6). */
import { addressBytes, formatIp, IP_BYTES, ipFamily, parseIp } from "../../host/ip-address.ts";

export interface Cidr {
  readonly family: 4 | 6;
  /** The first address as a number. */
  readonly first: bigint;
  /** How many addresses. */
  readonly size: bigint;
  readonly prefix: number;
}

/** Undefined: it is no network, or has bits set behind its prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", length, ...more] = text.split("/");
  const family = ipFamily(address);
  if (family === 0 || more.length > 0 || address.includes("%")) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const first = numberOf(address);
  const size = 1n << BigInt(bits - prefix);
  return first % size === 0n ? { family, first, size, prefix } : undefined;
}

export function formatCidr({ family, first, prefix }: Cidr): string {
  return `${addressAt(family, first)}/${prefix}`;
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first < b.first + b.size && b.first < a.first + a.size;
}

export function contains({ family, first, size }: Cidr, address: string): boolean {
  if (ipFamily(address) !== family) return false;
  const number = numberOf(address);
  return number >= first && number < first + size;
}

/** A literal address as a number. */
export function numberOf(address: string): bigint {
  return BigInt(`0x${Buffer.from(addressBytes(address)).toString("hex")}`);
}

export function addressAt(family: 4 | 6, number: bigint): string {
  const bytes = Buffer.from(number.toString(16).padStart(IP_BYTES * 2, "0"), "hex");
  if (family === 4) bytes.fill(0xff, IP_BYTES - 6, IP_BYTES - 4);
  return formatIp(bytes, 0);
}

/** As it is written everywhere: two texts of one address become the same. */
export function canonical(address: string): string {
  const bytes = new Uint8Array(IP_BYTES);
  return parseIp(address, bytes, 0) ? formatIp(bytes, 0) : address;
}
