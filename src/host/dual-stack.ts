/**
 * Binding to all addresses: "::" takes IPv4 as well, but a kernel without IPv6 knows no such socket; there all addresses are those of IPv4.
 */
import { HostError } from "../base/errors.ts";

/** `bind` is tried with the host, and once more with 0.0.0.0 when the host was "::" and the kernel has no IPv6. @throws what `bind` throws */
export function dualStack<T>(host: string, bind: (host: string) => T): T {
  try {
    return bind(host);
  } catch (error) {
    if (host !== "::" || !(error instanceof HostError) || !WITHOUT_IPV6.has(error.code)) throw error;
    return bind("0.0.0.0");
  }
}

/** How kernels without IPv6 refuse the socket, or its address. */
const WITHOUT_IPV6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL"]);
