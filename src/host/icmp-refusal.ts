/**
 * The error by which a machine refuses a datagram: destination unreachable, port unreachable, as the kernel sends it where no socket is. Needs CAP_NET_RAW.
 *
 *   type u8 · code u8 · checksum u16 · 0 u32 · IP and UDP header of the datagram          RFC 792; RFC 4443 section 3.1
 */
import { addInternet, foldInternet } from "../faketcp/checksum.ts";
import { Block } from "./block.ts";
import { AF_INET6, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_RAW } from "./linux-abi.ts";
import { familyOf, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import type { Sys } from "./sys.ts";

/** To `to`, from the address `from`, about a datagram that begins with the headers `quoted`. False: it may not be sent, or could not. */
export function refuseDatagram(sys: Sys, from: string, to: string, quoted: Uint8Array): boolean {
  const place = { host: from, port: 0 };
  const six = familyOf(place) === AF_INET6;
  const fd = sys.socket(familyOf(place), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
  if (fd < 0) return false;
  try {
    const name = new Block(sys, SOCKADDR_BYTES);
    if (sys.bind(fd, name.address, writeSockaddr(name, place)) < 0) return false;
    const message = new Block(sys, HEADER_BYTES + quoted.length);
    message.bytes.set(six ? [1, 4] : [3, 3]);
    message.bytes.set(quoted, HEADER_BYTES);
    // Of ICMPv6 the kernel makes it.
    if (!six) message.view.setUint16(2, foldInternet(addInternet(message.bytes, 0, message.bytes.length)));
    if (sys.connect(fd, name.address, writeSockaddr(name, { host: to, port: 0 })) < 0) return false;
    return sys.send(fd, message.address, message.bytes.length, MSG_DONTWAIT) > 0;
  } finally {
    sys.close(fd);
  }
}

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const HEADER_BYTES = 8;
