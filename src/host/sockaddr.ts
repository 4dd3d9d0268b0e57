/**
 * Socket addresses as the kernel lays them out.
 *
 *   sockaddr_in   family u16 · port u16be · address 4 · zero 8                              16 bytes
 *   sockaddr_in6  family u16 · port u16be · flowinfo 4 · address 16 · scope u32             28 bytes
 *   sockaddr_un   family u16 · path, ended by a zero                                      ≤ 110 bytes
 *
 * Source: ip(7), ipv6(7), unix(7). Addresses go to and from the records of an AddressTable word by word.
 */
import { HostError } from "../base/errors.ts";
import { ADDRESS_WORDS, PORT_WORD, SCOPE_WORD } from "./address.ts";
import { Block } from "./block.ts";
import { formatHostPort, formatIp, IP_BYTES, ipFamily, ipScope, parseIp } from "./ip-address.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./linux-abi.ts";
import type { Endpoint } from "./loop.ts";
import type { Sys } from "./sys.ts";

/** Room for any of the three, in whole words. */
export const SOCKADDR_BYTES = 112;
const IN_BYTES = 16;
const IN6_BYTES = 28;
const UN_PATH = 2;
const UN_PATH_BYTES_MAX = 107;
/** The third word of a mapped address: 0, 0, 0xff, 0xff. */
const MAPPED_WORD = 0xffff0000 | 0;

export function familyOf(endpoint: Endpoint): number {
  if ("path" in endpoint) return AF_UNIX;
  const family = ipFamily(endpoint.host);
  if (family === 0) throw new HostError("EINVAL", "inet_pton", endpoint.host);
  return family === 4 ? AF_INET : AF_INET6;
}

export function nameOf(endpoint: Endpoint): string {
  return "path" in endpoint ? endpoint.path : formatHostPort(endpoint.host, endpoint.port);
}

/** Writes the endpoint into the block; answers its length. @throws HostError when it is no literal address or the path is too long */
export function writeSockaddr(block: Block, endpoint: Endpoint): number {
  const { bytes, view } = block;
  bytes.fill(0, 0, SOCKADDR_BYTES);
  const family = familyOf(endpoint);
  view.setUint16(0, family, true);
  if ("path" in endpoint) {
    const path = Buffer.from(endpoint.path);
    if (path.length === 0 || path.length > UN_PATH_BYTES_MAX) throw new HostError("ENAMETOOLONG", "bind", endpoint.path);
    bytes.set(path, UN_PATH);
    return UN_PATH + path.length + 1;
  }
  view.setUint16(2, endpoint.port);
  const address = new Uint8Array(IP_BYTES);
  parseIp(endpoint.host, address, 0);
  if (family === AF_INET) {
    bytes.set(address.subarray(12), 4);
    return IN_BYTES;
  }
  bytes.set(address, 8);
  view.setUint32(24, ipScope(endpoint.host), true);
  return IN6_BYTES;
}

/** The IP endpoint that the kernel wrote into the block. */
export function readSockaddr(block: Block): { host: string; port: number } {
  const { bytes, view } = block;
  const port = view.getUint16(2);
  if (view.getUint16(0, true) === AF_INET) return { host: bytes.subarray(4, 8).join("."), port };
  return { host: formatIp(bytes, 8, view.getUint32(24, true)), port };
}

/** The address a socket is bound to, for logs; "" for a unix socket. */
export function localName(sys: Sys, fd: number): string {
  const name = new Block(sys, SOCKADDR_BYTES + 8);
  name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
  if (sys.getsockname(fd, name.address, name.address + SOCKADDR_BYTES) < 0 || name.view.getUint16(0, true) === AF_UNIX) return "";
  const { host, port } = readSockaddr(name);
  return formatHostPort(host, port);
}

/** Address, port and scope of sockaddr at words[at…] into the record `key`. */
export function keyFromSockaddr(words: Int32Array, at: number, key: Uint32Array): void {
  const head = words[at]!;
  key[PORT_WORD] = head >>> 16;
  if ((head & 0xffff) === AF_INET) {
    key[0] = 0;
    key[1] = 0;
    key[2] = MAPPED_WORD;
    key[3] = words[at + 1]!;
    key[SCOPE_WORD] = 0;
    return;
  }
  for (let i = 0; i < 4; i++) key[i] = words[at + 2 + i]!;
  key[SCOPE_WORD] = words[at + 6]!;
}

/** The record of `id` as a sockaddr of the socket's family at words[at…]; answers its length. */
export function sockaddrFromRecord(words: Int32Array, at: number, family: number, records: Uint32Array, id: number): number {
  const record = id * ADDRESS_WORDS;
  words[at] = family | (records[record + PORT_WORD]! << 16);
  if (family === AF_INET) {
    words[at + 1] = records[record + 3]!;
    words[at + 2] = 0;
    words[at + 3] = 0;
    return IN_BYTES;
  }
  words[at + 1] = 0;
  for (let i = 0; i < 4; i++) words[at + 2 + i] = records[record + i]!;
  words[at + 6] = records[record + SCOPE_WORD]!;
  return IN6_BYTES;
}
