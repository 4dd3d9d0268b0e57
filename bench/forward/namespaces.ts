/**
 * CPU per forwarded packet between namespaces, in one run: XDP native and generic and nftables beside iptables with one rule. Root.
 *
 *   npm run bench:forward -- --only wire [--seconds 1] [--rounds 3] [--flows 1000,50000] [--forwards 50000] [--cases iptables,native,generic,nftables] [--plot FILE]
 *
 * Ours have as many forwards as --forwards says, iptables one. `--plot` draws packets a second and core over flows.
 */
import { parseArgs } from "../../test/script-args.ts";
import { plot } from "./plot.ts";
import { insideProxy, type Wire } from "./wire.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    flows: { type: "string", default: "1000,50000" },
    forwards: { type: "string", default: "50000" },
    cases: { type: "string", default: "iptables,native,generic,nftables" },
    plot: { type: "string" },
  },
});
const CASES = { iptables: "iptables, one rule", native: "XDP", generic: "XDP, generic", nftables: "nftables" } as const;
type Case = keyof typeof CASES;

async function measure(wire: Wire, name: Case, flows: number): Promise<number> {
  const forwards = Number(values.forwards);
  const cost = (): Promise<number> => wire.cost(flows, Number(values.seconds), 0, Math.min(flows, forwards));
  if (name === "iptables") return wire.iptables(cost);
  return name === "nftables" ? wire.nftables(forwards, cost) : wire.xdp(name, forwards, Math.max(65_536, flows), cost);
}

async function main(wire: Wire): Promise<void> {
  await wire.generator.sink("drop");
  const cases = values.cases.split(",") as Case[];
  const sizes = values.flows.split(",").map(Number);
  const table = new Map<Case, { flows: number; ns: number }[]>();
  console.log(`ns a packet, least of ${values.rounds} rounds (all of them)`);
  for (const flows of sizes) {
    const found = new Map<Case, number[]>();
    for (let round = 0; round < Number(values.rounds); round++)
      for (const name of cases) found.set(name, [...(found.get(name) ?? []), await measure(wire, name, flows)]);
    const least = (name: Case): number => Math.min(...(found.get(name) ?? []));
    for (const [name, all] of found) {
      const against =
        name === "iptables" || !found.has("iptables") ? "" : `iptables is ${(least("iptables") / least(name)).toFixed(2)} × it`;
      const text = `${String(flows).padStart(7)} flows  ${CASES[name].padEnd(20)} ${least(name).toFixed(0).padStart(6)}  ${against}`;
      console.log(`${text.padEnd(68)} (${all.map((ns) => ns.toFixed(0)).join(" ")})`);
      table.set(name, [...(table.get(name) ?? []), { flows, ns: least(name) }]);
    }
  }
  if (values.plot !== undefined) plot(values.plot, new Map([...table].map(([name, points]) => [CASES[name], points])));
  wire.generator.close();
}

const wire = insideProxy(import.meta.filename);
if (wire !== undefined) {
  await main(wire);
  process.exit(0);
}
