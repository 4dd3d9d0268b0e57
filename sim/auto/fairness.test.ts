import assert from "node:assert/strict";
import { test } from "node:test";
import { profiles } from "./case.ts";
import { share } from "./sharing.ts";

// A quarter of profile f, so that a long time takes little.
const narrow = "delay=100 rate=5mbit qbytes=128k";
const short = "delay=100 rate=10mbit qbytes=64k";

for (const [what, gap, stalls] of [
  ["one after the other", 500, undefined],
  ["at once, on busy machines", 0, { pause: 5, every: 50 }],
  ["each where the others already fill the queue, on busy machines", 3000, { pause: 5, every: 50 }],
] as const) {
  test(`four sessions that tune themselves and begin ${what} share a path evenly`, () => {
    const ours = [0, 1, 2, 3].map((i) => 500 + i * gap);
    const got = share({ link: narrow, seed: 1, ours, from: 15_000, to: 40_000, ...(stalls && { stalls }) });
    const shares = got.ours.map((bytes) => Math.round((bytes * 8) / 25_000)).join(" ");
    assert.ok(got.jain >= 0.9, `Jain ${got.jain.toFixed(3)}: ${shares} kbit/s`);
    assert.ok(got.kbps > 4200, `${got.kbps} kbit/s altogether`);
  });
}

for (const [what, link] of [
  ["profile f", profiles.f],
  ["a link of 20 Mbit/s that queues for 400 ms", "delay=20 rate=20mbit qbytes=1m"],
] as const) {
  test(`a CUBIC transfer the other way, which delays acknowledgements, takes next to nothing of a session over ${what}`, (t) => {
    const [alone, beside] = [[], [500]].map((back) => share({ link, seed: 1, ours: [500], back, from: 5000, to: 25_000 }).kbps);
    t.diagnostic(`${Math.round(alone!)} kbit/s alone, ${Math.round(beside!)} beside it`);
    assert.ok(beside! > 0.85 * alone!, `${beside} of ${alone} kbit/s`);
  });
}

for (const [what, link, begins, to, stalls] of [
  ["profile f", profiles.f, 500, 25_000],
  ["a narrow path with a short queue", narrow, 5500, 65_000],
  ["a path whose queue holds a quarter of what is under way", short, 500, 65_000],
  ["a path whose queue holds a quarter of what is under way, on busy machines", short, 2500, 65_000, { pause: 5, every: 50 }],
] as const) {
  test(`beside a CUBIC download a session that tunes itself has between 0.3 and 0.7 of ${what}`, (t) => {
    const got = share({ link, seed: 1, ours: [500], tcp: [begins], from: 5000, to, ...(stalls && { stalls }) });
    t.diagnostic(`share ${got.share.toFixed(2)}`);
    assert.ok(got.share >= 0.3 && got.share <= 0.7, `share ${got.share.toFixed(2)}`);
  });
}
