/** `longhaul edge`: fixed addresses in front of endpoints anywhere. */
import { ConfigError } from "../base/errors.ts";
import type { Command } from "./command.ts";
import { type EdgeOptions, edgeOptions } from "./edge-options.ts";
import { parseFlags } from "./flags.ts";

export const edge: Command = {
  name: "edge",
  text: `Takes TCP connections and UDP datagrams at an accelerator's addresses and sends each flow to an endpoint: of the closest region that answers, by dials
and weights. Checks endpoints, fails over at once, keeps what it serves on disk. status and flows show what a running edge of this user does; zone prints
the accelerators' names for a DNS server.`,
  examples: [
    "longhaul edge --join TOKEN --metrics 9110",
    "longhaul edge --file edge.yaml --metrics 9110",
    "longhaul edge status",
    "longhaul edge flows --limit 20",
  ],
  schema: edgeOptions,
  // Everywhere else --config names a file of options; here it is what an edge serves.
  parse: (sources) => {
    const argv = sources.argv.map((argument) => argument.replace(/^(?:-c|--config)(?==|$)/, "--file"));
    return parseFlags(edgeOptions, { ...sources, argv });
  },
  run: async (options: EdgeOptions) => {
    const [action = "run"] = options.action;
    if (action === "run") return (await import("./edge-run.ts")).runEdge(options);
    if (action === "status" || action === "flows") return (await import("./edge-show.ts")).showEdge(action, options);
    if (action === "zone") return (await import("./edge-zone.ts")).printZone(options);
    throw new ConfigError("action", `"${action}" is not allowed; run, status, flows and zone are`);
  },
};
