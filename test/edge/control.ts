/** Control for edges: the real service over a store in a folder, with a configuration that it is told. `control.ts FOLDER HOST PORT`, then lines of JSON. */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type EdgeConfig, edgeConfig } from "../../src/accelerate/edge-config.ts";
import { Authority } from "../../src/control/edges/authority.ts";
import { JoinTokens } from "../../src/control/edges/join-tokens.ts";
import { startEdgeService } from "../../src/control/edges/service.ts";
import { masterKey, Seal } from "../../src/control/seal.ts";
import { openDatabase } from "../../src/control/store/database.ts";
import { silentLog } from "../../src/host/log.ts";

const [folder = "", host = "", port = ""] = process.argv.slice(2);
let config: EdgeConfig = { revision: 0, accelerators: [] };
const source = { revision: async () => config.revision, config: async () => config };
const database = await openDatabase(join(folder, "control.db"));
const seal = new Seal(masterKey(join(folder, "master.key")));
const service = await startEdgeService({ database, seal, source, host, port: Number(port), names: [host], log: silentLog });
const authority = await Authority.open(database, seal, Date.now());
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as { do: string; config?: unknown };
  let answer: unknown = {};
  if (request.do === "token")
    answer = await new JoinTokens(database).create(authority, [`${host}:${service.port}`], "", Date.now(), 600_000);
  else if (request.do === "serve") {
    config = edgeConfig.parse(request.config);
    service.notify();
  } else answer = { acknowledged: await service.reports.acknowledged(), edges: service.connected().length };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
