/** Where metrics are served: nobody but this machine reaches a port that is given alone. */
import type { Endpoint } from "../host/loop.ts";
import { parseEndpoint } from "../tunnel/address.ts";

/** "9100" and ":9100" are the loopback's; all addresses are "0.0.0.0:9100" or "[::]:9100". @throws ConfigError that names the option */
export function parseMetricsAddress(text: string): Endpoint {
  const alone = /^:?(\d+)$/.exec(text);
  return parseEndpoint("metrics", alone === null ? text : `127.0.0.1:${alone[1]}`, 0);
}
