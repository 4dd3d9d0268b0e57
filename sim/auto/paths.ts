/**
 * `npm run sim:paths [-- --ends auto|to|from] [--from N] [--count N] [--seeds N]`: paths that nobody chose, each made of its number, over them frames of 6 Mbit/s by our
 * tunnel and by kcptun (fast2), in virtual time. A line each, ours beside kcptun's: median of the seeds of p50, p95 and p99 in ms, and wire/payload; then the whole.
 */
import { Prng } from "../../src/base/prng.ts";
import { parseArgs } from "../../test/script-args.ts";
import { quantile, type Result } from "./case.ts";
import { type Row, run } from "./table.ts";

const { values } = parseArgs({
  options: {
    ends: { type: "string", default: "from" },
    from: { type: "string", default: "0" },
    count: { type: "string", default: "40" },
    seeds: { type: "string", default: "3" },
  },
});
const allEnds = { auto: "auto", to: "to kcptun", from: "from kcptun" } as const;
if (!(values.ends in allEnds)) {
  console.error(`--ends ${values.ends}: one of ${Object.keys(allEnds).join(", ")}`);
  process.exit(2);
}
const ends = allEnds[values.ends as keyof typeof allEnds];
const SECONDS = 16;
/** kcptun needs 2 to 2.5 times the 6 Mbit/s. */
const rates = [18, 25, 30, 50, 100, 200];
const delays = [5, 10, 20, 40, 60, 80, 110, 150];
const losses = ["", "loss=0.3%", "loss=1%", "loss=2%", "loss=3%", "loss=5%", "ge=2%:5", "ge=4%:5", "ge=3%:10"];
const jitters = [0, 0, 0, 3, 5, 10, 20];
const queues = ["24k", "32k", "64k", "128k", "256k", "512k", "1m"];

function pathOf(n: number): string {
  const prng = new Prng(7919 * n + 13);
  const one = <T>(of: readonly T[]): T => of[prng.below(of.length)]!;
  const delay = one(delays);
  const loss = one(losses);
  const jitter = Math.min(one(jitters), delay);
  const reorder = prng.chance(0.6) ? " reorder=1" : "";
  const parts = [`delay=${delay}`, jitter > 0 ? `jitter=${jitter}${reorder}` : "", loss, `rate=${one(rates)}mbit`, `qbytes=${one(queues)}`];
  return parts.filter((part) => part !== "").join(" ");
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[of.length >> 1]!;
}

function figures(link: string, by: Row["ends"]): number[] {
  const row: Row = { name: link, kind: "rt", link, ends: by, bounds: {} };
  const results: Result[] = Array.from({ length: Number(values.seeds) }, (_, i) => run(row, i + 1, SECONDS));
  return [0.5, 0.95, 0.99]
    .map((q) => median(results.map(({ delays: of }) => quantile(of, q))))
    .concat(median(results.map(({ wire }) => wire)));
}

const ratios: { readonly p95: number; readonly wire: number }[] = [];
for (let n = Number(values.from); n < Number(values.from) + Number(values.count); n++) {
  const link = pathOf(n);
  const [ours, theirs] = [figures(link, ends), figures(link, "fast2")];
  const [p95, wire] = [ours[1]! / theirs[1]!, ours[3]! / theirs[3]!];
  ratios.push({ p95, wire });
  const text = (of: number[]): string =>
    `${of
      .slice(0, 3)
      .map((ms) => ms.toFixed(0))
      .join(" / ")} at ${of[3]!.toFixed(2)}`;
  console.log(`${p95.toFixed(2)} × p95, ${wire.toFixed(2)} × bytes │ ${n} ${link} │ ${text(ours)} │ ${text(theirs)}`);
}
const geometric = (of: readonly number[]): string => Math.exp(of.reduce((sum, ratio) => sum + Math.log(ratio), 0) / of.length).toFixed(2);
const p95s = ratios.map(({ p95 }) => p95);
const worse = p95s.filter((p95) => p95 > 1.1).length;
console.log(
  `${ends}: geometric mean ${geometric(p95s)} × p95, ${geometric(ratios.map(({ wire }) => wire))} × bytes; worse by more than a tenth on ${worse} of ${p95s.length}, by ${Math.max(...p95s).toFixed(1)} × at most`,
);
