/**
 * One ping: an echo request by a ping socket (net.ipv4.ping_group_range), or by a raw one where that is not allowed.
 *
 *   type u8 · code u8 · checksum u16 · id u16 · sequence u16 · data          RFC 792, RFC 4443 section 4
 */
import { randomBytes } from "node:crypto";
import type { Millis } from "../base/units.ts";
import { addInternet, foldInternet } from "../faketcp/checksum.ts";
import { Block } from "./block.ts";
import { AF_INET6, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW } from "./linux-abi.ts";
import { familyOf, nameOf, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { hostError, loadSys, type Sys } from "./sys.ts";

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const COOKIE_BYTES = 16;
const HEADER_BYTES = 8;

/** Milliseconds until the answer, undefined when none came in time. @throws HostError when no such socket can be had */
export async function ping(host: string, timeout: Millis): Promise<Millis | undefined> {
  const sys = loadSys();
  const at = { host, port: 0 };
  const six = familyOf(at) === AF_INET6;
  const fd = open(sys, host, six);
  const name = new Block(sys, SOCKADDR_BYTES);
  const length = writeSockaddr(name, at);
  const request = new Block(sys, HEADER_BYTES + COOKIE_BYTES);
  const cookie = randomBytes(COOKIE_BYTES);
  request.bytes[0] = six ? 128 : 8;
  request.bytes.set(cookie.subarray(0, 4), 4);
  request.bytes.set(cookie, HEADER_BYTES);
  if (!six) request.view.setUint16(2, foldInternet(addInternet(request.bytes, 0, request.bytes.length)));
  const answer = new Block(sys, 256);
  const started = performance.now();
  try {
    if (sys.connect(fd, name.address, length) < 0 || sys.send(fd, request.address, HEADER_BYTES + COOKIE_BYTES, 0) < 0) return undefined;
    return await new Promise<Millis | undefined>((settle) => {
      const poll = sys.poll(fd, () => {
        for (let tries = 16; tries > 0; tries--) {
          const bytes = sys.recv(fd, answer.address, 256, MSG_DONTWAIT);
          if (bytes <= 0) return;
          // A raw socket gives the IP header too, and other people's pings: what is ours ends in the cookie.
          if (Buffer.from(answer.bytes.subarray(0, bytes)).subarray(-COOKIE_BYTES).equals(cookie) && isReply(answer.bytes, six)) {
            done(performance.now() - started);
            return;
          }
        }
      });
      const timer = setTimeout(() => done(undefined), timeout);
      const done = (outcome: Millis | undefined): void => {
        clearTimeout(timer);
        poll.stop();
        settle(outcome);
      };
    });
  } finally {
    sys.close(fd);
  }
}

function open(sys: Sys, host: string, six: boolean): number {
  const [family, protocol] = six ? [AF_INET6, IPPROTO_ICMPV6] : [familyOf({ host, port: 0 }), IPPROTO_ICMP];
  for (const type of [SOCK_DGRAM, SOCK_RAW]) {
    const fd = sys.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd >= 0) return fd;
  }
  throw hostError(sys, "socket", `icmp ${nameOf({ host, port: 0 })}`);
}

/** Ours come by too where the host is this one. */
function isReply(bytes: Uint8Array, six: boolean): boolean {
  if (six) return bytes[0] === 129;
  const at = bytes[0]! >> 4 === 4 ? (bytes[0]! & 15) * 4 : 0;
  return bytes[at] === 0;
}
