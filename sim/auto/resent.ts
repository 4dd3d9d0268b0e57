/**
 * `node sim/auto/resent.ts [--only TEXT] [--seeds N]`: what a modelled kcptun sends again in the rows "from kcptun" and to a kcptun itself, for a hundred segments:
 * why (its timeout; two ACKs, or one and nothing new, that overtook), and what for.
 *
 *   had      the receiver had it when it was sent again
 *   vain     it had it before this copy came, or this copy was lost
 *   needed   this copy was the first that came, or of which it was rebuilt
 */

import { FecDecoder } from "../../src/fec/decoder.ts";
import { FecEncoder } from "../../src/fec/encoder.ts";
import { ReceiveWindow } from "../../src/kcp/receive-window.ts";
import { CMD, HEADER_BYTES, LEN, PUSH, SN, TS } from "../../src/kcp/segment.ts";
import { parseArgs } from "../../test/script-args.ts";
import { KcptunClient } from "../kcptun-client.ts";
import { figures, type Row, rows, run } from "./table.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "rt b" }, seeds: { type: "string", default: "12" } } });

type Why = "timeout" | "overtaken";
interface Copy {
  readonly sn: number;
  readonly ts: number;
  readonly why: Why;
  readonly had: boolean;
}

/** Of each segment that came, the time stamp of the copy that was the first. */
const came = new Map<number, number>();
const sent = new Set<number>();
const copies: Copy[] = [];
let timeouts = 0;

const { put } = ReceiveWindow.prototype;
ReceiveWindow.prototype.put = function (sn, bytes, start, end) {
  const placed = put.call(this, sn, bytes, start, end);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (placed === "stored") came.set(sn, view.getUint32(start - HEADER_BYTES + TS, true));
  return placed;
};

KcptunClient.watch = (view, start, end, { stats }) => {
  const why = stats.lostSegs > timeouts ? "timeout" : "overtaken";
  timeouts = stats.lostSegs;
  if (!FecDecoder.isData(view, start, end)) return;
  for (let at = start + FecEncoder.headBytes; at < end; at += HEADER_BYTES + view.getUint32(at + LEN, true)) {
    if (view.getUint8(at + CMD) !== PUSH) continue;
    const sn = view.getUint32(at + SN, true);
    if (sent.has(sn)) copies.push({ sn, ts: view.getUint32(at + TS, true), why, had: came.has(sn) });
    sent.add(sn);
  }
};

function measure(row: Row): void {
  const tally = new Map<string, number>();
  let segments = 0;
  const results = Array.from({ length: Number(values.seeds) }, (_, i) => {
    came.clear();
    sent.clear();
    copies.length = 0;
    timeouts = 0;
    const result = run(row, i + 1);
    segments += sent.size;
    for (const { sn, ts, why, had } of copies) {
      const what = `${why} ${had ? "had" : came.get(sn) === ts ? "needed" : "vain"}`;
      tally.set(what, (tally.get(what) ?? 0) + 1);
    }
    return result;
  });
  const { p50, p95, p99, wire } = figures(results);
  const shares = [...tally].toSorted().map(([what, n]) => `${what} ${((100 * n) / segments).toFixed(2)}`);
  const delays = [p50, p95, p99].map((ms) => ms.toFixed(0)).join(" / ");
  console.log(
    `${row.name}, ${row.ends}: p50 / p95 / p99 ${delays}, wire ${wire.toFixed(2)}; sent again of a hundred: ${shares.join(", ")}`,
  );
}

for (const row of rows) {
  if (row.ends !== "from kcptun" || !row.name.includes(values.only)) continue;
  measure(row);
  if (row.kind === "rt") measure({ ...row, ends: "fast2" });
}
