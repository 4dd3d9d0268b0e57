/** How the kernel sends on a TCP socket. Source: tcp(7), TCP_CONGESTION and TCP_NOTSENT_LOWAT. */
import { Block } from "./block.ts";
import { IPPROTO_TCP, TCP_CONGESTION, TCP_NOTSENT_LOWAT } from "./linux-abi.ts";
import type { TcpTuning } from "./loop.ts";
import { setOption } from "./socket-option.ts";
import type { Sys } from "./sys.ts";

/** TCP_CA_NAME_MAX. */
const NAME_BYTES = 16;

/** A congestion control that the kernel does not have, or does not allow this user, leaves the system's. */
export function tuneTcp(sys: Sys, fd: number, { congestion, unsentBytesMax }: TcpTuning): void {
  if (unsentBytesMax !== undefined) setOption(sys, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsentBytesMax);
  if (congestion === undefined) return;
  const name = new Block(sys, NAME_BYTES);
  const { written } = new TextEncoder().encodeInto(congestion, name.bytes);
  sys.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.address, written);
}

/** Its name, "" when that cannot be known. */
export function congestionOf(sys: Sys, fd: number): string {
  const name = new Block(sys, NAME_BYTES + 8);
  name.words[NAME_BYTES >> 2] = NAME_BYTES;
  if (sys.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.address, name.address + NAME_BYTES) < 0) return "";
  return new TextDecoder().decode(name.bytes.subarray(0, NAME_BYTES)).replace(/\0.*$/s, "");
}
