/** `longhaul edges`: which edges have joined an installation, and tokens for those that shall. */
import { z } from "zod";
import { isControlAddress } from "../accelerate/join-token.ts";
import { ConfigError } from "../base/errors.ts";
import { Authority } from "../control/edges/authority.ts";
import { JoinTokens } from "../control/edges/join-tokens.ts";
import { EdgeRegistry } from "../control/edges/registry.ts";
import { liveConfig } from "../live/config.ts";
import type { Command } from "./command.ts";
import { printTable } from "./print-table.ts";
import { openStore } from "./store.ts";

const edgesConfig = z.strictObject({
  data: z.string().default("").describe("the installation's folder, as given to longhaul control"),
  database: liveConfig.shape.database,
  control: z
    .array(z.string())
    .default([])
    .describe("for token: where edges reach control processes, HOST:PORT, several for several of them"),
  label: z.string().max(100).default("").describe("for token: who it is for"),
  hours: z.coerce.number().min(0.01).max(8760).default(24).describe("for token: how long it may be used"),
  action: z.array(z.string()).default([]).describe("list; token; remove EDGE").meta({ operands: "list|token|remove" }),
});
type EdgesConfig = z.output<typeof edgesConfig>;

export const edges: Command = {
  name: "edges",
  text: `An edge joins with a token, once: "longhaul edge --join TOKEN". A token's secret is shown once, when it is created, and kept as a hash. An edge that is
removed serves on what it has and is told nothing any more.`,
  examples: [
    "longhaul edges --data FOLDER token --control control.example.org:4433 --label frankfurt",
    "longhaul edges --data FOLDER list",
    "longhaul edges --data FOLDER remove k3v9x0q2m1ab",
  ],
  schema: edgesConfig,
  run: runEdges,
};

async function runEdges({
  data,
  database: url,
  control,
  label,
  hours,
  action: [action = "list", id, ...more],
}: EdgesConfig): Promise<number> {
  if (data === "") throw new ConfigError("data", "--data: nothing is given; give the folder that longhaul control was given");
  if (more.length > 0 || !["list", "token", "remove"].includes(action) || (action === "remove") !== (id !== undefined))
    throw new ConfigError(
      "action",
      `"${[action, id, ...more].filter(Boolean).join(" ")}" is not allowed; list, token, or remove and an edge's id are`,
    );
  const { database, seal } = await openStore(data, url);
  const registry = new EdgeRegistry(database);
  try {
    if (action === "token") {
      if (control.length === 0 || !control.every(isControlAddress))
        throw new ConfigError("control", `--control: "${control.join()}" is not allowed; give HOST:PORT, at least once`);
      const authority = await Authority.open(database, seal, Date.now());
      const token = await new JoinTokens(database).create(authority, control, label, Date.now(), hours * HOUR_MS);
      process.stdout.write(`${token}\n`);
      return 0;
    }
    if (action === "remove") {
      if (await registry.remove(id!)) return 0;
      process.stderr.write(`longhaul edges: there is no edge ${id}\n`);
      return 1;
    }
    printTable(
      ["EDGE", "NAME", "LABEL", "REVISION", "SEEN", "FLOWS", "REFUSED"],
      (await registry.list()).map((edge) => [
        ...[edge.id, edge.name, edge.label, String(edge.revision), new Date(edge.seenAt).toISOString()],
        ...[String(edge.report?.flows ?? ""), edge.refused],
      ]),
    );
    return 0;
  } finally {
    await database.destroy();
  }
}

const HOUR_MS = 3_600_000;
