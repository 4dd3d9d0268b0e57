/**
 * `npm run sim:paths [-- --ends auto,to,from] [--from N] [--count N] [--seeds N] [--plot FILE]`: paths that nobody chose, each made of its number, over them frames of
 * 6 Mbit/s by our tunnel, to a kcptun, from one, and by kcptun alone (fast2), in virtual time. For each, ours beside kcptun's: median of the seeds of p50, p95 and p99 in ms,
 * and wire/payload; then the whole.
 */
import { writeFileSync } from "node:fs";
import { Prng } from "../../src/base/prng.ts";
import { parseArgs } from "../../test/script-args.ts";
import { quantile } from "./case.ts";
import { type Point, pathsPlot } from "./paths-plot.ts";
import { type Row, run } from "./table.ts";

const { values } = parseArgs({
  options: {
    ends: { type: "string", default: "auto,to,from" },
    from: { type: "string", default: "0" },
    count: { type: "string", default: "40" },
    seeds: { type: "string", default: "3" },
    plot: { type: "string", default: "" },
  },
});
const allEnds: Readonly<Record<string, Row["ends"]>> = { auto: "auto", to: "to kcptun", from: "from kcptun" };
const asked = values.ends.split(",");
for (const name of asked) {
  if (name in allEnds) continue;
  console.error(`--ends ${name}: some of ${Object.keys(allEnds).join(", ")}`);
  process.exit(2);
}
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

interface Figures {
  /** p50, p95, p99. */
  readonly ms: readonly number[];
  readonly wire: number;
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[of.length >> 1]!;
}

function figures(link: string, ends: Row["ends"]): Figures {
  const row: Row = { name: link, kind: "rt", link, ends, bounds: {} };
  const results = Array.from({ length: Number(values.seeds) }, (_, i) => run(row, i + 1, SECONDS));
  const ms = [0.5, 0.95, 0.99].map((q) => median(results.map(({ delays: of }) => quantile(of, q))));
  return { ms, wire: median(results.map(({ wire }) => wire)) };
}

const text = ({ ms, wire }: Figures): string => `${ms.map((each) => each.toFixed(0)).join(" / ")} at ${wire.toFixed(2)}`;
const geometric = (of: readonly number[]): string => Math.exp(of.reduce((sum, ratio) => sum + Math.log(ratio), 0) / of.length).toFixed(2);

const found = new Map(asked.map((name) => [name, [] as (Point & { readonly wire: number })[]]));
for (let n = Number(values.from); n < Number(values.from) + Number(values.count); n++) {
  const link = pathOf(n);
  const theirs = figures(link, "fast2");
  console.log(`${n} ${link}: kcptun ${text(theirs)}`);
  for (const [name, points] of found) {
    const ours = figures(link, allEnds[name]!);
    const point = { theirs: theirs.ms[1]!, ours: ours.ms[1]!, wire: ours.wire / theirs.wire };
    points.push(point);
    console.log(`    ${name.padEnd(5)} ${(point.ours / point.theirs).toFixed(2)} × p95, ${point.wire.toFixed(2)} × bytes: ${text(ours)}`);
  }
}
for (const [name, points] of found) {
  const ratios = points.map(({ ours, theirs }) => ours / theirs);
  const worse = ratios.filter((ratio) => ratio > 1.1).length;
  console.log(
    `${allEnds[name]}: geometric mean ${geometric(ratios)} × p95, ${geometric(points.map(({ wire }) => wire))} × bytes; worse by more than a tenth on ${worse} of ${points.length}, ${Math.max(...ratios).toFixed(1)} × at most`,
  );
}
if (values.plot !== "") writeFileSync(values.plot, pathsPlot(new Map([...found].map(([name, points]) => [allEnds[name]!, points]))));
