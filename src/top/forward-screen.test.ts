import assert from "node:assert/strict";
import { test } from "node:test";
import type { Flow, ForwardStats } from "../forward/datapath.ts";
import { ForwardView, forwardOnce, forwardScreen } from "./forward-screen.ts";
import { ForwardTrack } from "./forward-track.ts";
import { glyphsFor } from "./glyphs.ts";
import { widthOf } from "./line.ts";

const glyphs = glyphsFor({ LANG: "C.UTF-8" });
const text = (lines: readonly (readonly { readonly text: string }[])[]): string =>
  lines.map((line) => line.map((each) => each.text).join("")).join("\n");
const counted = (of: Partial<ForwardStats>): ForwardStats => ({
  flows: 1,
  packetsIn: 0,
  bytesIn: 0,
  packetsOut: 0,
  bytesOut: 0,
  denied: 0,
  limited: 0,
  refused: 0,
  ...of,
});

function track(): ForwardTrack {
  const made = new ForwardTrack();
  const names = ["quiet", "small", "big"];
  const state = (n: number) => ({
    forwards: new Map([
      ["small", counted({ packetsIn: 10 * n, bytesIn: 1000 * n, denied: 3 * n })],
      ["big", counted({ flows: 40, packetsIn: 1000 * n, bytesIn: 1_000_000 * n, bytesOut: 500_000 * n })],
    ]),
    counters: {},
  });
  made.update(names, state(1), 10);
  made.update(names, state(2), 12);
  return made;
}

test("rates are what came between two pictures", () => {
  const rows = new Map(track().rows.map((row) => [row.name, row]));
  const { packetsIn, bitsIn, bitsOut } = rows.get("big")!;
  assert.deepEqual(
    [packetsIn, bitsIn, bitsOut, rows.get("small")!.dropped, rows.get("quiet")!.bitsIn],
    [500, 4_000_000, 2_000_000, 1.5, 0],
  );
});

test("every size of a terminal is filled exactly; the busiest is first, the selected one keeps its place", () => {
  const view = new ForwardView();
  const made = track();
  for (const [width, height] of [
    [80, 24],
    [40, 6],
    [200, 50],
    [20, 3],
  ] as const) {
    const lines = forwardScreen({ track: made, view, glyphs, datapath: "nftables", clock: "12:00:00" }, width, height);
    assert.equal(lines.length, height);
    for (const line of lines) assert.equal(widthOf(line), width);
  }
  assert.deepEqual(
    view.sorted(made.rows).map(({ name }) => name),
    ["big", "small", "quiet"],
  );
  view.press("down", made);
  view.press("s", made);
  view.press("enter", made);
  assert.equal(view.wanted(made), "small");
  const flow: Flow = {
    forward: "small",
    source: "192.0.2.9:4711",
    listen: "192.0.2.1:5000",
    seenAs: "10.0.0.9:6000",
    backend: "10.0.0.1:5000",
    packetsIn: 1,
    bytesIn: 1000,
    packetsOut: 0,
    bytesOut: 0,
    expiresSeconds: 9,
  };
  made.updateFlows([flow], 1);
  made.updateFlows([{ ...flow, bytesIn: 2000 }], 2);
  const shown = text(forwardScreen({ track: made, view, glyphs, datapath: "xdp", clock: "" }, 100, 12));
  assert.match(shown, /flows of small[\s\S]*192\.0\.2\.9:4711.*10\.0\.0\.1:5000 +8\.00k/);
  view.press("escape", made);
  assert.equal(view.wanted(made), undefined);
  assert.equal(view.press("q", made), false);
});

test("without a terminal: a table", () => {
  assert.match(text(forwardOnce(track(), glyphs, 120)), /^FORWARD[\s\S]*big .*4\.00M[\s\S]*quiet/);
});
