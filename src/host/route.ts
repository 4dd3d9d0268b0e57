/** Which of our addresses a packet to a host leaves from. */
import { Block } from "./block.ts";
import { bindToDevice, type Departure } from "./departure.ts";
import { SOCK_CLOEXEC, SOCK_DGRAM } from "./linux-abi.ts";
import { familyOf, nameOf, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { hostError, type Sys } from "./sys.ts";

/** Asks the routing table by a UDP socket that sends nothing. @throws HostError when there is no route */
export function sourceAddress(sys: Sys, to: { readonly host: string; readonly port: number }, { device, host }: Departure = {}): string {
  if (host !== undefined) return host;
  const name = new Block(sys, SOCKADDR_BYTES + 8);
  const length = writeSockaddr(name, to);
  const fd = sys.socket(familyOf(to), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw hostError(sys, "socket", nameOf(to));
  try {
    if (device !== undefined) bindToDevice(sys, fd, device);
    if (sys.connect(fd, name.address, length) < 0) throw hostError(sys, "connect", nameOf(to));
    name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
    if (sys.getsockname(fd, name.address, name.address + SOCKADDR_BYTES) < 0) throw hostError(sys, "getsockname", nameOf(to));
    return readSockaddr(name).host;
  } finally {
    sys.close(fd);
  }
}
