/** `longhaul client`: the near end of a tunnel. */
import { type ClientConfig, clientConfig } from "../tunnel/config.ts";
import type { Command } from "./command.ts";
import { laterOptions, runTunnel } from "./tunnel.ts";

export const client: Command = {
  name: "client",
  text: `Accepts TCP connections and carries them over UDP to a "longhaul server" or a kcptun server, which makes them to its target.
With a "longhaul server" at the other end: several listeners and targets (--forward), UDP, and connections the other way round (--reverse).
Key and crypt must be the server's. A kcptun server must also have the same --smuxver (before 2025-11 its default is 1) and --nocomp.
SIGHUP reads the configuration anew without ending a session; SIGUSR1 writes sessions and counters to the log.`,
  examples: [
    "longhaul client -l :1936 -r far.example:29900 --key SECRET",
    "longhaul client -r far.example:29900 --key SECRET --forward :8080=web --forward udp:127.0.0.1:53=dns --reverse git=127.0.0.1:3000",
    "longhaul client -r far.example:29900 --key SECRET --mode fast3 --sndwnd 1024 --rcvwnd 1024   # set by hand, as with kcptun",
    "longhaul client -r old.example:29900 --key SECRET --smuxver 1                                # a kcptun of Debian at the far end",
  ],
  schema: clientConfig,
  later: laterOptions,
  run: (config: ClientConfig, reread: () => ClientConfig) =>
    runTunnel({ role: "client", config }, () => ({ role: "client", config: reread() })),
};
