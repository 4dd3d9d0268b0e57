/** Addresses as kcptun writes them: "host:port", ":port" for all addresses, "[v6]:port", or the path of a unix socket. */
import { ConfigError } from "../base/errors.ts";
import type { Endpoint } from "../host/loop.ts";

const hostAndPort = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/;

/** Port 0, any free one, is for addresses we listen at. @throws ConfigError that names `key` */
export function parseHostPort(key: string, text: string, portLeast: 0 | 1 = 1): { host: string; port: number } {
  const match = hostAndPort.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < portLeast || port > 65_535) {
    throw new ConfigError(
      key,
      `--${key}: "${text}" is not an address; give host:port, :port or [v6]:port with a port of ${portLeast} to 65535`,
    );
  }
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? "::" : host, port };
}

/** Anything that holds a slash or no port is the path of a unix socket. @throws ConfigError that names `key` */
export function parseEndpoint(key: string, text: string, portLeast: 0 | 1 = 1): Endpoint {
  if (text.includes("/") || (!text.includes(":") && text !== "")) return { path: text };
  return parseHostPort(key, text, portLeast);
}

export interface PortRange {
  readonly host: string;
  readonly least: number;
  /** Equal to `least` when one port was given. */
  readonly most: number;
}

/** "host:port" or "host:min-max". @throws ConfigError that names `key` */
export function parsePortRange(key: string, text: string, portLeast: 0 | 1 = 1): PortRange {
  const range = /^(.*:)(\d{1,5})-(\d{1,5})$/.exec(text);
  if (range === null) {
    const { host, port } = parseHostPort(key, text, portLeast);
    return { host, least: port, most: port };
  }
  const { host, port: least } = parseHostPort(key, `${range[1]}${range[2]}`);
  const most = Number(range[3]);
  if (most < least || most > 65_535) {
    throw new ConfigError(
      key,
      `--${key}: "${text}" is not a range of ports; give host:min-max with min not above max and max at most 65535`,
    );
  }
  return { host, least, most };
}
