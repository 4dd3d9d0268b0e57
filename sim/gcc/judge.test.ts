/** The judge itself, and the quick part of what it judges; `npm run gcc:scenarios` judges all. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fingerprint } from "../scenario.ts";
import { type Case, runCase, SECOND } from "./case.ts";
import { published, rowsOfPublished } from "./judge.ts";
import { plot } from "./plot.ts";
import { dips } from "./published-libwebrtc.ts";
import { rfc8867 } from "./rfc8867.ts";
import { rowsOf } from "./scenarios.ts";
import { all, atLeast, atMost, below, between, exactly, near, type Row, table } from "./verdict.ts";

/** A second of virtual time and more each. */
const SLOW = new Set(["P2", "P4", "P34", "P36", "P32"]);

function hold(rows: readonly Row[]): void {
  assert.ok(
    rows.every(({ holds }) => holds),
    table(rows),
  );
}

for (const figure of published) {
  if (!SLOW.has(figure.id)) test(`${figure.id}: ${figure.what} (${figure.source})`, () => hold(rowsOfPublished(figure)));
}

function named(name: string): Case {
  return rfc8867.find((each) => each.name === name)!;
}

for (const name of ["gcc-5.1", "gcc-5.6-cubic-300"]) {
  test(`${named(name).source} holds what it promises`, () => {
    const run = runCase(named(name), 1);
    hold(rowsOf(named(name), run));
    const picture = plot(run);
    assert.ok(picture.startsWith("<svg") && !/NaN|undefined|Infinity/.test(picture));
  });
}

// Each of them failed until the rate carried since a probe counted, and tests and losses of competing traffic were judged as they are now.
for (const [name, seed] of [
  ["gcc-5.2", 2],
  ["gcc-5.6-reno-1000", 5],
  ["gcc-5.6-reno-1000", 7],
] as const) {
  test(`${named(name).source} with seed ${seed}: ${named(name).about}`, () => hold(rowsOf(named(name), runCase(named(name), seed))));
}

test("the same seed gives the same run, and another one another", () => {
  const short = { ...named("gcc-5.1-jitter"), until: 8 * SECOND };
  const [first, again, other] = [1, 1, 2].map((seed) => fingerprint(runCase(short, seed).flows.map(({ record }) => record.delays)));
  assert.equal(first, again);
  assert.notEqual(first, other);
});

test("every row of the list is judged: P1 to P36, and all cases of section 5", () => {
  const ids = new Set(published.flatMap(({ id }) => (id === "P7…P9" ? ["P7", "P8", "P9"] : [id])));
  for (let i = 1; i <= 36; i++) assert.ok(ids.has(`P${i}`), `P${i}`);
  for (let i = 1; i <= 8; i++)
    assert.ok(
      rfc8867.some(({ source }) => source === `RFC 8867 5.${i}`),
      `5.${i}`,
    );
});

test("verdicts fail outside their bounds, and the table says so", () => {
  const good = all(atLeast(3, 3), atMost(3, 3), below(2.9, 3), near(3, 3.1, 0.2), between(3, 3, 4), exactly("3/4", "3/4"));
  assert.ok(good.holds);
  for (const bad of [atLeast(2, 3), atMost(4, 3), below(3, 3), near(3, 4, 0.5), between(5, 3, 4), exactly(1, 2), atLeast(Number.NaN, 0)]) {
    assert.equal(all(good, bad).holds, false);
    assert.match(table([{ id: "x", what: "y", source: "z", ...bad }]), /FAIL$/);
  }
});

test("dips are counted where a rate falls and comes back", () => {
  assert.equal(dips([500, 300, 500, 300, 500], 100), 2);
  assert.equal(dips([500, 450, 500], 100), 0);
});

test("the command: 0 where all holds, 2 and the names for a case that is none", () => {
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    return spawnSync(process.execPath, [fileURLToPath(new URL("./judge.ts", import.meta.url)), ...args], { encoding: "utf8" });
  };
  const good = run("--case", "P29");
  assert.equal(good.status, 0);
  assert.match(good.stdout, /1 of 1 expectations hold/);
  assert.match(run("--case", "gcc-5.1-loss", "--seed", "1-2").stdout, /seed 1\n[\s\S]*seed 2\n[\s\S]*6 of 6 expectations hold/);
  assert.equal(run("--seed", "2-1").status, 2);
  const wrong = run("--case", "P99");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--case is "P99"; allowed is one of gcc-5\.1, .*P31/);
});
