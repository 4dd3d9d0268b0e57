/**
 * IP addresses as text and as 16 bytes in network order, as the sockets of both families hand them over.
 *
 *   IPv6   2001:db8::1   the 16 bytes themselves
 *   IPv4   203.0.113.7   ::ffff:203.0.113.7, the IPv4-mapped form, so that one table and one comparison serve both
 *
 * Source: RFC 4291 section 2.2 (text), 2.5.5.2 (mapped); RFC 5952 (which text is written); RFC 4007 section 11 (zones).
 *
 * Deviations: the mapped form is written as IPv4 ("203.0.113.7"), because that is the address its user knows.
 */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

export const IP_BYTES = 16;
const MAPPED_PREFIX = 12;
const GROUPS = 8;

/** 4, 6, or 0 when `text` is no literal address. */
export function ipFamily(text: string): 0 | 4 | 6 {
  return isIP(text) as 0 | 4 | 6;
}

/** Writes the literal address into bytes[at…at+16); false (and nothing written) when it is none. A zone is ignored here: `ipScope`. */
export function parseIp(text: string, bytes: Uint8Array, at: number): boolean {
  const family = ipFamily(text);
  if (family === 0) return false;
  bytes.fill(0, at, at + IP_BYTES);
  if (family === 4) {
    bytes.fill(0xff, at + 10, at + MAPPED_PREFIX);
    parseIpv4(text, bytes, at + MAPPED_PREFIX);
    return true;
  }
  const [head = "", tail] = withoutZone(text).split("::");
  writeGroups(head, bytes, at);
  if (tail !== undefined) writeGroups(tail, bytes, at + IP_BYTES - groupBytes(tail));
  return true;
}

/** The 4 or 16 bytes of a literal address. */
export function addressBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(IP_BYTES);
  parseIp(text, bytes, 0);
  return ipFamily(text) === 4 ? bytes.slice(MAPPED_PREFIX) : bytes;
}

/** The interface index behind "%": its number, or the number of the interface so named; 0 without a zone or for an unknown one. */
export function ipScope(text: string): number {
  const percent = text.indexOf("%");
  if (percent < 0) return 0;
  const zone = text.slice(percent + 1);
  if (/^\d+$/.test(zone)) return Number(zone) >>> 0;
  for (const address of networkInterfaces()[zone] ?? []) if (address.family === "IPv6" && address.scopeid) return address.scopeid;
  return 0;
}

/** Text of bytes[at…at+16); `scope` is written as a zone when it is not 0. */
export function formatIp(bytes: Uint8Array, at: number, scope = 0): string {
  if (isMapped(bytes, at)) return bytes.subarray(at + MAPPED_PREFIX, at + IP_BYTES).join(".");
  const groups = Array.from({ length: GROUPS }, (_, i) => (bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!);
  const { start, length } = longestZeros(groups);
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  const text = length < 2 ? hex(0, GROUPS) : `${hex(0, start)}::${hex(start + length, GROUPS)}`;
  return scope === 0 ? text : `${text}%${scope}`;
}

/** Text of the 4 or 16 bytes of an address. */
export function formatAddress(address: Uint8Array): string {
  return address.length === IP_BYTES ? formatIp(address, 0) : address.join(".");
}

/** An IPv4 address stands in the 16 bytes. */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** "::" or "0.0.0.0", however it is spelled: all addresses of the machine. */
export function isUnspecified(text: string): boolean {
  const bytes = new Uint8Array(IP_BYTES);
  return parseIp(text, bytes, 0) && bytes.every((byte, i) => byte === 0 || (byte === 0xff && isMapped(bytes, 0) && i < MAPPED_PREFIX));
}

/** "203.0.113.7:4711" or "[2001:db8::1]:4711". */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The parts of what `formatHostPort` wrote. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon);
  return { host: host.startsWith("[") ? host.slice(1, -1) : host, port: Number(text.slice(colon + 1)) };
}

function parseIpv4(text: string, bytes: Uint8Array, at: number): void {
  text.split(".").forEach((part, i) => {
    bytes[at + i] = Number(part);
  });
}

function withoutZone(text: string): string {
  const percent = text.indexOf("%");
  return percent < 0 ? text : text.slice(0, percent);
}

function groupBytes(text: string): number {
  return text === "" ? 0 : text.split(":").reduce((sum, group) => sum + (group.includes(".") ? 4 : 2), 0);
}

function writeGroups(text: string, bytes: Uint8Array, at: number): void {
  if (text === "") return;
  let next = at;
  for (const group of text.split(":")) {
    if (group.includes(".")) {
      parseIpv4(group, bytes, next);
      next += 4;
    } else {
      const value = Number.parseInt(group, 16);
      bytes[next++] = value >>> 8;
      bytes[next++] = value & 0xff;
    }
  }
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < GROUPS; i++) {
    let length = 0;
    while (i + length < GROUPS && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  return best;
}
