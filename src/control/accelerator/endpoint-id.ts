/**
 * What an endpoint is on one's own machines, where AWS has load balancers, instances and elastic addresses:
 *
 *   10.0.0.5   media.example.org   2001:db8::5      traffic goes to the port at which it came in, or where a port override leads
 *   10.0.0.5:5060   [2001:db8::5]:5060              all of it goes to this port; health checks, too, where the group names no port
 */
import { ipFamily } from "../../host/ip-address.ts";
import { canonical } from "./cidr.ts";
import { invalidArgument } from "./exceptions.ts";

export interface EndpointPlace {
  /** A literal address without brackets, or a name. */
  readonly host: string;
  readonly port?: number;
}

const LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);
const AWS_ID = /^(i|eipalloc|subnet|eni)-[0-9a-f]{8,17}$/;

/** @throws ServiceError with a sentence that says what an endpoint is here */
export function parseEndpointId(id: string): EndpointPlace {
  if (id.startsWith("arn:") || AWS_ID.test(id))
    throw invalidArgument(`'${id}' names a resource of AWS; here an endpoint is a machine: its name or address, or host:port`);
  if (ipFamily(id) !== 0 && !id.includes("%")) return { host: canonical(id) };
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(id);
  const [, bracketed, plain = "", digits] = parts ?? [];
  const host = bracketed ?? plain;
  const known = bracketed === undefined ? ipFamily(host) === 4 || isName(host) : ipFamily(host) === 6 && !host.includes("%");
  const port = digits === undefined ? undefined : Number(digits);
  if (parts === null || !known || port === 0 || (port ?? 0) > 65_535)
    throw invalidArgument(`'${id}' is no endpoint; a name, an address, host:port and [v6 address]:port are`);
  return port === undefined ? { host: canonical(host) } : { host: canonical(host), port };
}

/** Digits alone are no name: 10.0.0.256 is a mistake. */
function isName(host: string): boolean {
  return NAME.test(host) && !/^[\d.]+$/.test(host);
}
