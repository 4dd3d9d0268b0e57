/**
 * Our WebRTC endpoint against real libwebrtc, in namespaces over an emulated link: as receiver of what Chromium publishes, and as sender.
 *
 *   node test/webrtc/main.ts [--long] [--rounds N]
 *
 * Ours and the reference take turns in one run and are compared by their medians. The short run leaves each bound the slack that a busy machine needs; --long
 * asks for the bounds as they are. References: @roamhq/wrtc as receiver of VP8 (it knows no H.264), Chromium as sender.
 *
 * Needs root, ../shared/netlab, gcc, ffmpeg, chromium.
 */
import { parseArgs } from "node:util";
import { chromiumMissing } from "../browser/watch.ts";
import { netlabMissing } from "../interop/netlab.ts";
import { Lab, type Run } from "./lab.ts";

const { values } = parseArgs({ options: { long: { type: "boolean", default: false }, rounds: { type: "string", default: "" } } });
const { long } = values;
const rounds = Number(values.rounds) || (long ? 5 : 1);
/** What a bound is widened by in the short run: one run each, beside whatever else the machine does. */
const slack = long ? 1 : 1.5;
const open = "delay=5 rate=0 qbytes=0";
const narrow = "delay=25 rate=2mbit qbytes=75k";
const openSeconds = 4;
const narrowSeconds = long ? 20 : 13;

interface Row {
  readonly what: string;
  readonly asked: string;
  readonly got: string;
  readonly ok: boolean;
}

const rows: Row[] = [];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length % 2 === 1 ? sorted[sorted.length >> 1]! : (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
}

function least(what: string, unit: string, got: number, asked: number): void {
  rows.push({ what, asked: `≥ ${round(asked)} ${unit}`, got: `${round(got)} ${unit}`, ok: got >= asked / slack });
}

function most(what: string, unit: string, got: number, asked: number): void {
  rows.push({ what, asked: `≤ ${round(asked)} ${unit}`, got: `${round(got)} ${unit}`, ok: got <= asked * slack });
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

function estimateAt(run: Run, seconds: number): number {
  return run.samples.find(({ at }) => at >= seconds * 1000)?.availableKbps ?? 0;
}

async function openLink(lab: Lab): Promise<void> {
  lab.net.set(open);
  // What runs for the first time is slow: browser, encoder, both ends.
  for (const to of ["reference", "ours"] as const) await lab.publish(to, { seconds: 3, from: 1 });
  const ours: number[] = [];
  const reference: number[] = [];
  const h264: number[] = [];
  for (let i = 0; i < Math.max(2, rounds); i++) {
    ours.push(estimateAt(await lab.publish("ours", { seconds: openSeconds, from: 1 }), 1));
    reference.push(estimateAt(await lab.publish("reference", { seconds: openSeconds, from: 1 }), 1));
    if (long || i === 0) h264.push(estimateAt(await lab.publish("ours", { seconds: openSeconds, from: 1, codec: "H264" }), 1));
  }
  least("Chromium's estimate after 1 s, VP8 to us", "kbit/s", median(ours), 5000);
  least("  against libwebrtc as receiver", `of ${round(median(reference))}`, median(ours) / median(reference), 0.95);
  least("Chromium's estimate after 1 s, H.264 to us", "kbit/s", median(h264), 5000);
}

async function narrowLink(lab: Lab): Promise<void> {
  lab.net.set(narrow);
  const [ours, reference, view, h264]: [Run[], Run[], Run[], Run[]] = [[], [], [], []];
  for (let i = 0; i < rounds; i++) {
    ours.push(await lab.publish("ours", { seconds: narrowSeconds }));
    reference.push(await lab.publish("reference", { seconds: narrowSeconds }));
    view.push(await lab.view({ seconds: narrowSeconds }));
    if (long) h264.push(await lab.publish("ours", { seconds: narrowSeconds, codec: "H264" }));
  }
  const of = (runs: readonly Run[], value: (run: Run) => number): number => median(runs.map(value));
  const compare = (what: string, value: (run: Run) => number, other: readonly Run[], share: number): void =>
    least(what, `of ${round(of(reference, value))}`, of(other, value) / of(reference, value), share);
  compare("2 Mbit/s: VP8 payload to us, against libwebrtc", ({ payloadKbps }) => payloadKbps, ours, 0.95);
  if (long) compare("2 Mbit/s: H.264 payload to us, against VP8 to libwebrtc", ({ payloadKbps }) => payloadKbps, h264, 0.95);
  const roundTrip = ({ roundTripMax }: Run): number => roundTripMax;
  const longest = "2 Mbit/s: longest round trip, VP8 to us";
  const theirs = `of ${round(of(reference, roundTrip))} ms`;
  const share = of(ours, roundTrip) / of(reference, roundTrip);
  // The one longest of one round is chance.
  if (long) most(longest, theirs, share, 1);
  else rows.push({ what: longest, asked: "(--long judges)", got: `${round(share)} ${theirs}`, ok: true });
  compare("2 Mbit/s: what we send, against Chromium as sender", ({ wireKbps }) => wireKbps, view, 0.95);
  const queue = ({ queueP95 }: Run): number => queueP95;
  most("2 Mbit/s: 95 % of queue delays, we as sender", `of ${round(of(reference, queue))} ms`, of(view, queue) / of(reference, queue), 1.1);
  const decoded = (view[0]!.stats.viewed as { framesDecoded?: number } | undefined)?.framesDecoded ?? 0;
  least("frames of ours that libwebrtc decoded", "frames", decoded, narrowSeconds * 25);
}

const missing = netlabMissing() ?? (chromiumMissing === false ? undefined : chromiumMissing);
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const lab = new Lab(open);
try {
  await lab.open();
  await openLink(lab);
  await narrowLink(lab);
} finally {
  await lab.close();
}
const width = Math.max(...rows.map(({ what }) => what.length));
for (const { what, asked, got, ok } of rows)
  console.log(`${ok ? "ok    " : "FAILED"} ${what.padEnd(width)}  asked ${asked.padEnd(16)} got ${got}`);
const failed = rows.filter(({ ok }) => !ok).length;
console.log(`${rows.length - failed} passed, ${failed} failed, 0 skipped (${rounds} round${rounds === 1 ? "" : "s"}, bounds × ${slack})`);
process.exitCode = failed === 0 ? 0 : 1;
