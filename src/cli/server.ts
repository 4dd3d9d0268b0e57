/** `longhaul server`: the far end of a tunnel. */
import { type ServerConfig, serverConfig } from "../tunnel/config.ts";
import type { Command } from "./command.ts";
import { laterOptions, runTunnel } from "./tunnel.ts";
import { withUsers } from "./users-file.ts";

export const server: Command = {
  name: "server",
  text: `Takes the sessions of any number of "longhaul client" and kcptun clients on one UDP port and connects each of their streams to the target.
Key and crypt must be the clients'. Compression and smux version are found out for each client; FEC may differ.
SIGHUP reads the configuration and its files anew without ending a session.`,
  examples: [
    "longhaul server -t 127.0.0.1:1935 --key SECRET               # in front of an RTMP server",
    "longhaul server -t 127.0.0.1:1935 --users users.json         # many users with keys and limits of their own on one port",
    "longhaul server --key SECRET --targets web=10.0.0.5:80,dns=udp:10.0.0.53:53 --reverse git=:3000   # what clients may ask for by name",
    "longhaul server -l :4000 -t 127.0.0.1:22 --key SECRET --crypt aes-128-gcm",
  ],
  schema: serverConfig,
  later: laterOptions,
  run: (config: ServerConfig, reread: () => ServerConfig) =>
    runTunnel({ role: "server", config: withUsers(config) }, () => ({ role: "server", config: withUsers(reread()) })),
};
