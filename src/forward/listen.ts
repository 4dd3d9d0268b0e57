/** Where a forward takes datagrams in, and where its backends are: "192.0.2.1:5000", "192.0.2.1-192.0.2.4:5000-5999", "[2001:db8::1]:5000". */
import { type Family, formatIpRange, type IpRange, parseIpRange } from "./ip-range.ts";

export interface PortRange {
  readonly first: number;
  /** Not below `first`. */
  readonly last: number;
}

export interface Listen {
  readonly addresses: IpRange;
  readonly ports: PortRange;
}

/** One place to which datagrams are sent. */
export interface Backend {
  readonly family: Family;
  readonly address: bigint;
  /** Undefined: the port at which the datagram came in. */
  readonly port: number | undefined;
  /** 0…1000; 0: no new flows, those that run go on. */
  readonly weight: number;
}

export const WEIGHT_MAX = 1000;

/** Undefined when the text is no such thing; all addresses of the machine ("0.0.0.0") are none. */
export function parseListen(text: string): Listen | undefined {
  const [host, port] = splitHost(text);
  if (host === undefined || port === undefined) return undefined;
  const addresses = parseIpRange(host);
  const ports = parsePorts(port);
  return addresses === undefined || ports === undefined || addresses.first === 0n ? undefined : { addresses, ports };
}

/** "5000" or "5000-5999". */
export function parsePorts(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first < 1 || last < first || last > 65_535 ? undefined : { first, last };
}

/** "10.0.0.1:5000", "10.0.0.1" to keep the port, either with "@3" behind it for weight 3. */
export function parseBackend(text: string): Backend | undefined {
  const at = text.lastIndexOf("@");
  const weight = at < 0 ? "1" : text.slice(at + 1);
  if (!/^\d{1,4}$/.test(weight) || Number(weight) > WEIGHT_MAX) return undefined;
  const [host, port] = splitHost(at < 0 ? text : text.slice(0, at));
  const address = host === undefined ? undefined : parseIpRange(host);
  const ports = port === undefined ? undefined : parsePorts(port);
  if (address === undefined || address.first !== address.last || address.first === 0n) return undefined;
  if (port !== undefined && (ports === undefined || ports.first !== ports.last)) return undefined;
  return { family: address.family, address: address.first, port: ports?.first, weight: Number(weight) };
}

export function formatPorts({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

export function formatListen({ addresses, ports }: Listen): string {
  const host = formatIpRange(addresses);
  return `${addresses.family === 6 ? `[${host}]` : host}:${formatPorts(ports)}`;
}

/** Without its weight: what two forwards that send to the same place have in common. */
export function formatBackend({ family, address, port }: Pick<Backend, "family" | "address" | "port">): string {
  const host = formatIpRange({ family, first: address, last: address });
  if (port === undefined) return host;
  return `${family === 6 ? `[${host}]` : host}:${port}`;
}

/** One address and one port: found by a hash instead of a search. */
export function isExact({ addresses, ports }: Listen): boolean {
  return addresses.first === addresses.last && ports.first === ports.last;
}

/** The port at which a backend gets what came in; undefined: the one it came in at, several being possible. */
export function portOf(listen: Listen, { port }: Backend): number | undefined {
  return port ?? (isExact(listen) ? listen.ports.first : undefined);
}

export function overlap(a: Listen, b: Listen): boolean {
  return (
    a.addresses.family === b.addresses.family &&
    a.addresses.first <= b.addresses.last &&
    b.addresses.first <= a.addresses.last &&
    a.ports.first <= b.ports.last &&
    b.ports.first <= a.ports.last
  );
}

/** Host and port of "host:port", "[v6]:port", "host" or a bare v6. */
function splitHost(text: string): [host: string | undefined, port: string | undefined] {
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    if (end < 0) return [undefined, undefined];
    const rest = text.slice(end + 1);
    return [text.slice(1, end), rest === "" ? undefined : rest.startsWith(":") ? rest.slice(1) : ""];
  }
  const colon = text.indexOf(":");
  return colon < 0 || text.indexOf(":", colon + 1) >= 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}
