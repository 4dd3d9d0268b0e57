/**
 * The server's address as a client is told it, with where to leave from behind it:
 *
 *   far.example:29900                   by the route
 *   far.example:29900%eth1              by an interface, whichever way the route would take
 *   far.example:29900%192.0.2.7         from one of this machine's addresses
 */
import { ConfigError } from "../base/errors.ts";
import type { Departure } from "../host/departure.ts";
import { ipFamily } from "../host/ip-address.ts";
import { type PortRange, parsePortRange } from "./address.ts";

export interface ServerAddress extends PortRange {
  /** Left out: as the route says. */
  readonly departure?: Departure;
}

/** Linux's own limit is 15 bytes. */
const INTERFACE = /^[^/\s:%=,]{1,15}$/;

/** @throws ConfigError that names `key` */
export function parseServer(key: string, text: string): ServerAddress {
  const [, address = text, by] = /^(.*)%([^%\]]*)$/s.exec(text) ?? [];
  const remote = parsePortRange(key, address);
  if (by === undefined) return remote;
  const family = ipFamily(by);
  if (family === 0) {
    if (INTERFACE.test(by)) return { ...remote, departure: { device: by } };
    throw new ConfigError(
      key,
      `--${key}: "${text}" is not allowed; give %INTERFACE or %ADDRESS of this machine behind the port, such as ${address}%eth1`,
    );
  }
  const server = ipFamily(remote.host);
  if (server !== 0 && server !== family)
    throw new ConfigError(key, `--${key}: "${text}" is not allowed; give an address behind % of the same family as the server's`);
  return { ...remote, departure: { host: by } };
}
