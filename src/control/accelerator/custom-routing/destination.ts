/**
 * The destinations behind a subnet of custom routing: each of its usable addresses with each port of its group's destination configurations, in this order.
 *
 *   10.0.1.0/24, ports 81-90    →    10.0.1.4:81  10.0.1.4:82 … 10.0.1.4:90  10.0.1.5:81 … 10.0.1.254:90          251 × 10 destinations
 *
 * Five addresses of a subnet have no destinations, as in AWS: the first four and the last. Source: reference/aws-live.md section 2, Developer Guide "How custom
 * routing accelerators work".
 */
import { addressAt, type Cidr, contains, formatCidr, numberOf, parseCidr } from "../cidr.ts";
import { invalidArgument } from "../exceptions.ts";
import type { PortRange } from "../port-range.ts";

const PREFIX_LEAST = 17;
const PREFIX_MOST = 28;
const RESERVED_FIRST = 4n;
const RESERVED_LAST = 1n;

export type TransportProtocol = "TCP" | "UDP";

/** As an endpoint group of custom routing has them. */
export interface DestinationConfiguration extends PortRange {
  readonly Protocols: readonly TransportProtocol[];
}

/** @throws ServiceError when it is no IPv4 network of /17 to /28 */
export function parseSubnet(endpointId: string): Cidr {
  const cidr = parseCidr(endpointId);
  if (cidr === undefined || cidr.family !== 4 || cidr.prefix < PREFIX_LEAST || cidr.prefix > PREFIX_MOST || formatCidr(cidr) !== endpointId)
    throw invalidArgument(
      `'${endpointId}' is no endpoint of custom routing; an IPv4 subnet of /${PREFIX_LEAST} to /${PREFIX_MOST} such as 10.0.1.0/24 is`,
    );
  return cidr;
}

export class Destinations {
  readonly subnet: Cidr;
  readonly hosts: number;
  /** Ports of each address, ascending, and which protocols each has. */
  readonly ports: readonly number[];
  readonly #protocols: ReadonlyMap<number, readonly TransportProtocol[]>;

  constructor(subnet: Cidr, configurations: readonly DestinationConfiguration[]) {
    this.subnet = subnet;
    this.hosts = Number(subnet.size - RESERVED_FIRST - RESERVED_LAST);
    const protocols = new Map<number, readonly TransportProtocol[]>();
    for (const { FromPort, ToPort, Protocols } of configurations) {
      for (let port = FromPort; port <= ToPort; port++)
        protocols.set(port, [...new Set([...(protocols.get(port) ?? []), ...Protocols])].sort());
    }
    this.ports = [...protocols.keys()].sort((a, b) => a - b);
    this.#protocols = protocols;
  }

  get count(): number {
    return this.hosts * this.ports.length;
  }

  /** `index` 0…count. */
  at(index: number): { readonly address: string; readonly port: number; readonly protocols: readonly TransportProtocol[] } {
    const port = this.ports[index % this.ports.length]!;
    return { address: this.address(Math.floor(index / this.ports.length)), port, protocols: this.#protocols.get(port)! };
  }

  /** `host` 0…hosts. */
  address(host: number): string {
    return addressAt(4, this.subnet.first + RESERVED_FIRST + BigInt(host));
  }

  /** Which of the hosts an address is; undefined: none. */
  host(address: string): number | undefined {
    if (!contains(this.subnet, address)) return undefined;
    const host = Number(numberOf(address) - this.subnet.first - RESERVED_FIRST);
    return host >= 0 && host < this.hosts ? host : undefined;
  }

  /** Of a port among those of an address; undefined: none. */
  portIndex(port: number): number | undefined {
    const index = this.ports.indexOf(port);
    return index < 0 ? undefined : index;
  }
}
