/**
 * Round trips at the rate of the document that this is compared with: CPU of the forwarder's threads for each datagram that came back, XDP beside iptables with one rule. Root.
 *
 *   npm run bench:forward -- --only echo [--rate 140000] [--seconds 2] [--rounds 3] [--flows 1000]
 *
 * At such a rate most of it is being woken: few packets come at once.
 */
import { parseArgs } from "../../test/script-args.ts";
import { insideProxy, type Wire } from "./wire.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "140000" },
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    flows: { type: "string", default: "1000" },
  },
});
const flows = Number(values.flows);
const rate = Number(values.rate);

async function trips(wire: Wire): Promise<number> {
  await wire.generator.send({ flows, seconds: 0.5, rate: 50_000 });
  const [began, before] = [wire.runtime(), wire.left("in")];
  await wire.generator.send({ flows, seconds: Number(values.seconds), rate });
  return (wire.runtime() - began) / (wire.left("in") - before);
}

const wire = insideProxy(import.meta.filename);
if (wire !== undefined) {
  await wire.generator.sink("echo");
  const found = { iptables: [] as number[], xdp: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    found.iptables.push(await wire.iptables(() => trips(wire)));
    found.xdp.push(await wire.xdp("native", 1, 65_536, () => trips(wire)));
  }
  const text = (all: readonly number[]): string => `${Math.min(...all).toFixed(0)} ns (${all.map((ns) => ns.toFixed(0)).join(" ")})`;
  console.log(`a round trip at ${rate.toLocaleString("en")} a second: iptables, one rule ${text(found.iptables)}; XDP ${text(found.xdp)}`);
  console.log(`XDP is ${(Math.min(...found.xdp) / Math.min(...found.iptables)).toFixed(2)} × iptables`);
  wire.generator.close();
  process.exit(0);
}
