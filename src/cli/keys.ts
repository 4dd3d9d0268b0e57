/** `longhaul keys`: access keys of an installation. */
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { roles } from "../control/credentials.ts";
import { liveConfig } from "../live/config.ts";
import type { Command } from "./command.ts";
import { openStore } from "./store.ts";

const keysConfig = z.strictObject({
  data: z.string().default("").describe("the installation's folder, as given to longhaul live or control"),
  database: liveConfig.shape.database,
  role: z.enum(roles).default("operator").describe("for create: what the key may do"),
  label: z.string().max(100).default("").describe("for create: who it is for"),
  action: z.array(z.string()).default([]).describe("list; create; delete KEY").meta({ operands: "list|create|delete" }),
});
type KeysConfig = z.output<typeof keysConfig>;

export const keys: Command = {
  name: "keys",
  text: `Access keys sign requests to the API of "longhaul live --data FOLDER" and "longhaul control --data FOLDER". A key's secret is shown once, when it is created.
Roles: read-only looks; operator runs streams and rotates stream keys, turns dials and weights, adds and removes endpoints; admin does everything.`,
  examples: [
    "longhaul keys --data FOLDER list",
    "longhaul keys --data FOLDER create --role operator --label studio",
    "longhaul keys --data FOLDER delete AKIA…",
  ],
  schema: keysConfig,
  run: runKeys,
};

async function runKeys({ data, database: url, role, label, action: [action = "list", id, ...more] }: KeysConfig): Promise<number> {
  if (data === "") throw new ConfigError("data", "--data: nothing is given; give the folder that longhaul live or control was given");
  if (more.length > 0 || !["list", "create", "delete"].includes(action) || (action === "delete") !== (id !== undefined))
    throw new ConfigError(
      "action",
      `"${[action, id, ...more].filter(Boolean).join(" ")}" is not allowed; list, create, or delete and a key's id are`,
    );
  const { credentials, database } = await openStore(data, url);
  try {
    if (action === "create") {
      const made = await credentials.create(role, label, Date.now());
      process.stdout.write(`aws_access_key_id = ${made.id}\naws_secret_access_key = ${made.secret}\n`);
      return 0;
    }
    if (action === "delete") {
      if (await credentials.delete(id!)) return 0;
      process.stderr.write(`longhaul keys: there is no key ${id}\n`);
      return 1;
    }
    for (const key of await credentials.list())
      process.stdout.write(`${key.id}  ${key.role.padEnd(9)}  ${new Date(key.createdAt).toISOString()}  ${key.label}\n`);
    return 0;
  } finally {
    await database.destroy();
  }
}
