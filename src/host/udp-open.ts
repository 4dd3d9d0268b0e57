/** A bound UDP socket by system calls, for the loops that read and write it by system calls. */
import { Block } from "./block.ts";
import { bindToDevice } from "./departure.ts";
import { isUnspecified } from "./ip-address.ts";
import {
  AF_INET6,
  IP_PKTINFO,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SOL_UDP,
  UDP_SEGMENT,
} from "./linux-abi.ts";
import type { UdpOptions } from "./loop.ts";
import { familyOf, nameOf, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { setBufferBytes, setOption, setTransparent } from "./socket-option.ts";
import { hostError, type Sys } from "./sys.ts";

export interface OpenUdp {
  /** The caller's to close. */
  readonly fd: number;
  readonly family: number;
  readonly local: { readonly host: string; readonly port: number };
  /** The kernel splits datagrams for this socket. */
  readonly segments: boolean;
}

/**
 * `tellsLocal`: a socket of all addresses tells which of them each datagram came for. `sharesPort`: a given port may have several sockets, over
 * which the kernel spreads peers, each always to the same one. @throws HostError when the address cannot be bound
 */
export function openUdp(sys: Sys, options: UdpOptions, tellsLocal: boolean, sharesPort = false): OpenUdp {
  const family = familyOf(options);
  const fd = sys.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw hostError(sys, "socket", nameOf(options));
  try {
    configure(sys, fd, family, options, tellsLocal);
    if (sharesPort && options.port !== 0) setOption(sys, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    const segments = options.segmentation !== false && setOption(sys, fd, SOL_UDP, UDP_SEGMENT, 0);
    return { fd, family, segments, local: bind(sys, fd, options) };
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

function configure(sys: Sys, fd: number, family: number, options: UdpOptions, tellsLocal: boolean): void {
  const six = family === AF_INET6;
  const wildcard = isUnspecified(options.host);
  if (options.transparent && !setTransparent(sys, fd, options)) throw hostError(sys, "setsockopt", `transparent ${options.host}`);
  if (options.device !== undefined) bindToDevice(sys, fd, options.device);
  if (options.socketBufferBytes) setBufferBytes(sys, fd, options.socketBufferBytes);
  if (options.dscp) {
    // A dual-stack socket sends IPv4 with the one and IPv6 with the other.
    const tos = options.dscp << 2;
    if (!setOption(sys, fd, IPPROTO_IP, IP_TOS, tos)) throw hostError(sys, "setsockopt", `dscp ${options.dscp}`);
    if (six) setOption(sys, fd, IPPROTO_IPV6, IPV6_TCLASS, tos);
  }
  if (wildcard && six) {
    setOption(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (tellsLocal) setOption(sys, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  } else if (wildcard && tellsLocal) setOption(sys, fd, IPPROTO_IP, IP_PKTINFO, 1);
}

function bind(sys: Sys, fd: number, options: UdpOptions): { host: string; port: number } {
  const name = new Block(sys, SOCKADDR_BYTES + 8);
  if (sys.bind(fd, name.address, writeSockaddr(name, options)) < 0) throw hostError(sys, "bind", nameOf(options));
  const { peer } = options;
  if (peer !== undefined && sys.connect(fd, name.address, writeSockaddr(name, peer)) < 0) throw hostError(sys, "connect", nameOf(peer));
  name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
  if (sys.getsockname(fd, name.address, name.address + SOCKADDR_BYTES) < 0) throw hostError(sys, "getsockname", nameOf(options));
  return readSockaddr(name);
}
