/**
 * `longhaul edge --tunnels FILE`: tunnels of an edge to machines beside its endpoints, by name.
 *
 *   frankfurt: { remoteaddr: pop.example.org:29900, key: SECRET }          longhaul server there, with --targets 10.0.1.11:5060 for each endpoint
 */
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { ConfigError } from "../base/errors.ts";
import { type ClientConfig, clientConfig } from "../tunnel/config.ts";
import { checkGiven } from "./flags.ts";

const TUNNELS_MAX = 1000;
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** Of an edge, not of its tunnels. */
const FOREIGN = ["localaddr", "forward", "reverse", "path", "tcp", "workers", "metrics", "log", "snmplog"];

/** None without a file. @throws ConfigError */
export function readTunnels(path: string): Readonly<Record<string, ClientConfig>> {
  if (path === "") return {};
  let given: unknown;
  try {
    given = parseYaml(readFileSync(path, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError("tunnels", `--tunnels: "${path}" cannot be read: ${code ?? message.split("\n")[0]}`);
  }
  if (typeof given !== "object" || given === null || Object.keys(given).length > TUNNELS_MAX)
    throw new ConfigError("tunnels", `--tunnels: "${path}" is not allowed; give at most ${TUNNELS_MAX} names with the options of each`);
  return Object.fromEntries(Object.entries(given).map(([name, options]) => [name, tunnelOf(path, name, options)]));
}

function tunnelOf(path: string, name: string, options: unknown): ClientConfig {
  const fail = (what: string): never => {
    throw new ConfigError("tunnels", `--tunnels: "${path}": ${name}: ${what}`);
  };
  if (!NAME.test(name)) fail("the name is not allowed; give letters, digits and . _ -");
  if (typeof options !== "object" || options === null) return fail("nothing is given; give remoteaddr and key");
  const foreign = FOREIGN.find((key) => key in options);
  if (foreign !== undefined) fail(`${foreign} is not for an edge's tunnel; leave it out`);
  for (const key of ["remoteaddr", "key"]) if (!(key in options)) fail(`${key} is not given; give the far server's`);
  const texts = Object.entries(options).map(([key, value]) => [key, typeof value === "object" ? value : String(value)]);
  try {
    const config = checkGiven(clientConfig, { mode: "auto", quiet: "true", ...Object.fromEntries(texts), localaddr: "" });
    return config.carrier === "udp" ? config : fail(`carrier ${config.carrier} is not for an edge's tunnel; udp is`);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.key === "tunnels") throw error;
    return fail(error.message);
  }
}
