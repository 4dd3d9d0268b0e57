/** `npm run sim:auto [-- --seeds N] [--only TEXT] [--peers]`: the table of mode auto in virtual time; status 1 when a row is out of its bounds. */
import { parseArgs } from "../../test/script-args.ts";
import { figures, misses, peers, rows, run } from "./table.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    peers: { type: "boolean", default: false },
  },
});

console.log("| cell | p50 | p95 | p99 | max ms | longest gap | Mbit/s | wire/payload | |\n|---|---|---|---|---|---|---|---|---|");
for (const row of values.peers ? [...rows, ...peers] : rows) {
  if (!row.name.includes(values.only)) continue;
  const got = figures(Array.from({ length: Math.max(Number(values.seeds), row.seedsMin ?? 1) }, (_, i) => run(row, i + 1)));
  const wrong = misses(row, got);
  if (wrong.length > 0) process.exitCode = 1;
  const delays = [got.p50, got.p95, got.p99, got.max, got.gap].map((ms) => (ms === 0 ? "" : ms.toFixed(0))).join(" | ");
  console.log(`| ${row.name} | ${delays} | ${got.mbps.toFixed(2)} | ${got.wire.toFixed(2)} | ${wrong.join(", ")} |`);
}
