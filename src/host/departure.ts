/**
 * Where datagrams and connections leave from, where that is not the route's affair: an interface, whichever way the route would take (SO_BINDTODEVICE), or one
 * of this machine's addresses. Source: socket(7).
 */
import { networkInterfaces } from "node:os";
import { HostError } from "../base/errors.ts";
import { Block } from "./block.ts";
import { SO_BINDTODEVICE, SOL_SOCKET } from "./linux-abi.ts";
import { interfaceIndex } from "./network-interface.ts";
import { hostError, type Sys } from "./sys.ts";

/** One of the two. */
export interface Departure {
  /** Name of an interface. */
  readonly device?: string;
  /** Literal address. */
  readonly host?: string;
}

/** As the user wrote it. */
export function departureName({ device, host }: Departure): string {
  return device ?? host ?? "";
}

/** Another number whenever what was opened before is of no use any more; 0 while there is no such interface or address. */
export function presence({ device, host }: Departure): number {
  if (device === undefined) return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host)) ? 1 : 0;
  try {
    return interfaceIndex(device);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return 0;
  }
}

/** What the socket sends leaves by the interface, and it receives only what comes by it. @throws HostError ENODEV; EPERM before Linux 5.7 without CAP_NET_RAW */
export function bindToDevice(sys: Sys, fd: number, device: string): void {
  const name = new Block(sys, 16);
  new TextEncoder().encodeInto(device, name.bytes.subarray(0, 15));
  if (sys.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.address, 16) < 0) throw hostError(sys, "setsockopt", `interface ${device}`);
}
