/**
 * The table of mode auto in virtual time, beside kcptun's modes: what must be reached, and whether it was. `npm run sim:auto` prints all of it;
 * a row that falls behind its bounds fails. Bounds are of the median of the seeds.
 */
import type { Millis } from "../../src/base/units.ts";
import { auto, type Case, type Kind, kcptun, play, profiles, quantile, type Result } from "./case.ts";

export interface Bounds {
  readonly p95?: Millis;
  readonly p99?: Millis;
  /** Longest time without a complete frame. */
  readonly gap?: Millis;
  readonly wire?: number;
  readonly mbps?: number;
}

export interface Row {
  readonly name: string;
  readonly kind: Kind;
  readonly link: string;
  readonly ends: "auto" | "to kcptun" | "from kcptun" | "fast2" | "fast3";
  readonly changes?: Case["changes"];
  readonly stalls?: Case["stalls"];
  readonly bounds: Bounds;
  /** Where little decides how groups of FEC lie against frames, that of more seeds counts. */
  readonly seedsMin?: number;
}

const drop8 = [
  { at: 8000, link: "rate=8mbit" },
  { at: 18_000, link: "rate=20mbit" },
];
const outage5 = [
  { at: 8000, link: "down=1" },
  { at: 13_000, link: "down=0" },
];
/** As when a radio or a satellite hands over: nothing for so long, every three seconds. */
const handovers = (ms: Millis): NonNullable<Case["changes"]> =>
  [3, 6, 9, 12, 15, 18, 21].flatMap((s) => [
    { at: s * 1000 + s * 12, link: "down=1" },
    { at: s * 1000 + s * 12 + ms, link: "down=0" },
  ]);

const noisy = "delay=20 jitter=20 reorder=1 loss=0.3% rate=25mbit qbytes=256k";

export const rows: readonly Row[] = [
  { name: "rt a", kind: "rt", link: profiles.a, ends: "auto", bounds: { p95: 214, p99: 260, gap: 500, wire: 1.35 } },
  { name: "rt b", kind: "rt", link: profiles.b, ends: "auto", bounds: { p95: 560, p99: 780, wire: 1.35 } },
  { name: "rt c", kind: "rt", link: profiles.c, ends: "auto", bounds: { p95: 69, p99: 96, gap: 500, wire: 1.35 } },
  { name: "rt d", kind: "rt", link: profiles.d, ends: "auto", bounds: { p95: 260, p99: 300, gap: 500, wire: 1.15 } },
  { name: "rt f", kind: "rt", link: profiles.f, ends: "auto", bounds: { p95: 160, p99: 220, gap: 500, wire: 1.1 } },
  { name: "rt f drop8", kind: "rt", link: profiles.f, ends: "auto", changes: drop8, bounds: { p95: 400, p99: 500, wire: 1.1 } },
  { name: "rt f outage5", kind: "rt", link: profiles.f, ends: "auto", changes: outage5, bounds: { gap: 5500, wire: 1.35 } },
  { name: "msg a", kind: "msg", link: profiles.a, ends: "auto", bounds: { p99: 200, wire: 2.04 } },
  { name: "msg b", kind: "msg", link: profiles.b, ends: "auto", bounds: { p95: 460, p99: 500, wire: 2.05 }, seedsMin: 7 },
  { name: "msg c", kind: "msg", link: profiles.c, ends: "auto", bounds: { p99: 100, wire: 2.04 } },
  { name: "msg d", kind: "msg", link: profiles.d, ends: "auto", bounds: { p99: 130, wire: 1.55 } },
  // Much lost one by one, as over the sea in the evening: fast3, at 1.1 to 1.2 times the bytes, has a p99 of 260 and 400.
  {
    name: "msg 5 %",
    kind: "msg",
    link: "delay=100 loss=5% rate=10mbit qbytes=256k",
    ends: "auto",
    bounds: { p95: 200, p99: 340, wire: 2.3 },
  },
  {
    name: "msg 10 %",
    kind: "msg",
    link: "delay=100 loss=10% rate=10mbit qbytes=256k",
    ends: "auto",
    bounds: { p95: 260, p99: 360, wire: 2.5 },
  },
  {
    name: "msg 20 %",
    kind: "msg",
    link: "delay=100 loss=20% rate=10mbit qbytes=256k",
    ends: "auto",
    bounds: { p95: 320, p99: 420, wire: 3.1 },
  },
  { name: "bulk a", kind: "bulk", link: profiles.a, ends: "auto", bounds: { mbps: 16, wire: 1.2 } },
  { name: "bulk b", kind: "bulk", link: profiles.b, ends: "auto", bounds: { mbps: 12, wire: 1.35 } },
  { name: "bulk c", kind: "bulk", link: profiles.c, ends: "auto", bounds: { mbps: 38, wire: 1.25 } },
  { name: "bulk d", kind: "bulk", link: profiles.d, ends: "auto", bounds: { mbps: 15, wire: 1.3 } },
  { name: "bulk f", kind: "bulk", link: profiles.f, ends: "auto", bounds: { mbps: 17.5, wire: 1.12 } },
  // Paths nobody tuned for.
  {
    name: "rt f handovers 150 ms",
    kind: "rt",
    link: profiles.f,
    ends: "auto",
    changes: handovers(150),
    bounds: { p95: 370, p99: 460, wire: 1.55 },
  },
  {
    name: "rt 60 ms handovers 600 ms",
    kind: "rt",
    link: "delay=30 rate=50mbit qbytes=512k",
    ends: "auto",
    changes: handovers(600),
    bounds: { p95: 600, p99: 740, wire: 1.65 },
  },
  {
    name: "rt 400 ms handovers 300 ms",
    kind: "rt",
    link: "delay=200 loss=0.5% rate=20mbit qbytes=512k",
    ends: "auto",
    changes: handovers(300),
    bounds: { p95: 800, p99: 860, wire: 1.8 },
  },
  {
    name: "bulk 500 Mbit/s",
    kind: "bulk",
    link: "delay=75 loss=0.01% rate=500mbit qbytes=4000k",
    ends: "auto",
    bounds: { mbps: 300, wire: 1.15 },
  },
  { name: "rt 40 ms 3 %", kind: "rt", link: "delay=20 loss=3% rate=30mbit qbytes=256k", ends: "auto", bounds: { p95: 110, wire: 1.4 } },
  { name: "rt 500 ms", kind: "rt", link: "delay=250 loss=0.5% rate=15mbit qbytes=400k", ends: "auto", bounds: { p95: 420, wire: 1.35 } },
  {
    name: "rt jitter",
    kind: "rt",
    link: "delay=80 jitter=10 loss=1% rate=25mbit qbytes=300k",
    ends: "auto",
    bounds: { p95: 200, wire: 1.4 },
  },
  // A kcptun (fast3) takes 360, 900, 335 ms here, at 2.40, 2.59 and 2.37 × the bytes.
  {
    name: "msg 400 ms 5 %",
    kind: "msg",
    link: "delay=200 loss=5% rate=12mbit qbytes=512k",
    ends: "auto",
    bounds: { p95: 290, p99: 350, wire: 2.3 },
    seedsMin: 7,
  },
  {
    name: "msg 400 ms 10 % in bursts",
    kind: "msg",
    link: "delay=200 ge=10%:5 rate=12mbit qbytes=512k",
    ends: "auto",
    bounds: { p95: 650, p99: 800, wire: 2.55 },
    seedsMin: 7,
  },
  {
    name: "msg 150 ms 5 % in bursts",
    kind: "msg",
    link: "delay=75 ge=5%:5 rate=8mbit qbytes=256k",
    ends: "auto",
    bounds: { p95: 230, p99: 300, wire: 2.2 },
    seedsMin: 7,
  },
  { name: "bulk 300 kbit", kind: "bulk", link: "delay=60 rate=300kbit qbytes=30k", ends: "auto", bounds: { mbps: 0.2, wire: 1.9 } },
  { name: "bulk 100 mbit", kind: "bulk", link: "delay=40 loss=0.2% rate=100mbit qbytes=1m", ends: "auto", bounds: { mbps: 75, wire: 1.2 } },
  {
    name: "bulk bursts",
    kind: "bulk",
    link: "delay=40 rate=20mbit qbytes=256k jitter=15 jdist=exponential",
    ends: "auto",
    bounds: { mbps: 11.5, wire: 1.12 },
  },
  { name: "bulk 25 % lost", kind: "bulk", link: "delay=50 loss=25% rate=20mbit qbytes=256k", ends: "auto", bounds: { mbps: 11 } },
  { name: "rt 25 % lost", kind: "rt", link: "delay=50 loss=25% rate=20mbit qbytes=256k", ends: "auto", bounds: { p95: 800 } },
  // Machines that are busy: not running for 20 ms every 50 ms, or 5 ms.
  {
    name: "rt f drop8 busy",
    kind: "rt",
    link: profiles.f,
    ends: "auto",
    changes: drop8,
    stalls: { pause: 20, every: 50 },
    bounds: { p99: 700, wire: 1.3 },
  },
  {
    name: "rt f a little busy",
    kind: "rt",
    link: profiles.f,
    ends: "auto",
    stalls: { pause: 5, every: 50 },
    bounds: { p99: 260, wire: 1.12 },
  },
  { name: "rt d busy", kind: "rt", link: profiles.d, ends: "auto", stalls: { pause: 20, every: 50 }, bounds: { p99: 450, wire: 1.3 } },
  // A kcptun at the far end.
  { name: "rt a to kcptun", kind: "rt", link: profiles.a, ends: "to kcptun", bounds: { p95: 268, wire: 1.6 } },
  { name: "rt b to kcptun", kind: "rt", link: profiles.b, ends: "to kcptun", bounds: { p95: 800, wire: 1.6 } },
  { name: "rt c to kcptun", kind: "rt", link: profiles.c, ends: "to kcptun", bounds: { p95: 86, wire: 1.5 }, seedsMin: 7 },
  { name: "rt d to kcptun", kind: "rt", link: profiles.d, ends: "to kcptun", bounds: { p95: 300, wire: 1.5 } },
  // Its packets and parity alone are 1.95 to 1.96 times the payload (sim/kcptun-client.ts says why): no receiver can make that less.
  // kcptun's own receiver: p95 275, 730, 84 at 2.38, 2.50, 2.14 × the bytes.
  { name: "rt a from kcptun", kind: "rt", link: profiles.a, ends: "from kcptun", bounds: { p95: 262, wire: 2.01 } },
  { name: "rt b from kcptun", kind: "rt", link: profiles.b, ends: "from kcptun", bounds: { p95: 690, wire: 2.2 }, seedsMin: 11 },
  { name: "rt c from kcptun", kind: "rt", link: profiles.c, ends: "from kcptun", bounds: { p95: 86, wire: 1.97 } },
  // It sends without a congestion window: kcptun's own receiver lets it be 25 s late here, at 18 times the bytes.
  { name: "rt d from kcptun", kind: "rt", link: profiles.d, ends: "from kcptun", bounds: { p95: 1600, wire: 2.1 }, seedsMin: 11 },
  { name: "bulk d from kcptun", kind: "bulk", link: profiles.d, ends: "from kcptun", bounds: { mbps: 9, wire: 2.1 } },
  { name: "bulk a from kcptun", kind: "bulk", link: profiles.a, ends: "from kcptun", bounds: { mbps: 9, wire: 2.3 } },
  // As over Wi-Fi and mobile networks: delays that differ as much as they are long, packets that overtake others. kcptun's p95: 45 to 60, 230, 300, 507.
  { name: "rt 40 ms of noise", kind: "rt", link: noisy, ends: "auto", bounds: { p95: 320, wire: 1.8 } },
  { name: "rt 40 ms of noise to kcptun", kind: "rt", link: noisy, ends: "to kcptun", bounds: { p95: 800, wire: 1.6 } },
  {
    name: "rt noise from kcptun",
    kind: "rt",
    link: "delay=20 jitter=10 reorder=1 loss=1% rate=100mbit qbytes=512k",
    ends: "from kcptun",
    bounds: { p95: 60, wire: 3.1 },
  },
  {
    name: "rt even noise from kcptun",
    kind: "rt",
    link: "delay=80 jitter=20 loss=0.3% rate=50mbit qbytes=256k",
    ends: "from kcptun",
    bounds: { p95: 350, wire: 2.3 },
  },
  {
    name: "rt short queue from kcptun",
    kind: "rt",
    link: "delay=40 loss=0.3% rate=18mbit qbytes=32k",
    ends: "from kcptun",
    bounds: { p95: 400, wire: 2.3 },
  },
];

/** kcptun's own figures for the same cells, for comparison only. */
export const peers: readonly Row[] = (["fast2", "fast3"] as const).flatMap((ends) =>
  rows.slice(0, 19).map((row) => ({ ...row, name: `${row.name} ${ends}`, ends, bounds: {} })),
);

export const secondsOf: Readonly<Record<Kind, number>> = { rt: 24, msg: 20, bulk: 20 };

export function run(row: Row, seed: number, seconds = secondsOf[row.kind]): Result {
  const ends = {
    auto: { client: auto, server: auto },
    "to kcptun": { client: { ...auto, parityshard: 5, smuxver: 1 }, server: kcptun("fast2").server },
    "from kcptun": { client: kcptun("fast2").client, server: { ...auto, parityshard: 5, smuxver: 1 } },
    fast2: kcptun("fast2"),
    fast3: kcptun("fast3"),
  }[row.ends];
  const kcptunSends = row.ends !== "auto" && row.ends !== "to kcptun";
  return play({
    kind: row.kind,
    link: row.link,
    seed,
    seconds,
    ...ends,
    ...(row.changes && { changes: row.changes }),
    ...(row.stalls && { stalls: row.stalls }),
    // Its session begins with the first connection; over a link without chance only that differs from seed to seed.
    ...(kcptunSends && { fromKcptun: true, lead: 90 + ((7 * seed) % 41) }),
  });
}

export interface Figures {
  readonly p50: Millis;
  readonly p95: Millis;
  readonly p99: Millis;
  readonly max: Millis;
  readonly gap: Millis;
  readonly wire: number;
  readonly mbps: number;
}

/** Medians over the seeds. */
export function figures(results: readonly Result[]): Figures {
  const median = (of: (result: Result) => number): number => results.map(of).toSorted((a, b) => a - b)[(results.length - 1) >> 1]!;
  const delay = (q: number): Millis => (results[0]!.delays.length === 0 ? 0 : median(({ delays }) => quantile(delays, q)));
  return {
    p50: delay(0.5),
    p95: delay(0.95),
    p99: delay(0.99),
    max: delay(1),
    gap: median(({ gap }) => gap),
    wire: median(({ wire }) => wire),
    mbps: median(({ mbps }) => mbps),
  };
}

/** What is out of bounds, in words; none when all is well. */
export function misses({ bounds }: Row, got: Figures): string[] {
  const above = (["p95", "p99", "gap", "wire"] as const).filter((key) => got[key] > (bounds[key] ?? Number.POSITIVE_INFINITY));
  const words = above.map((key) => `${key} ${got[key].toFixed(2)} > ${bounds[key]}`);
  if (got.mbps < (bounds.mbps ?? 0)) words.push(`${got.mbps.toFixed(2)} Mbit/s < ${bounds.mbps}`);
  return words;
}
