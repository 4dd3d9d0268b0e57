/** A million flows by 5-tuple, as addresses and ports really come, against what dials and weights say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flowHash } from "../../src/accelerate/flow-hash.ts";
import { balanceOf, groupOf } from "../../src/accelerate/testing/groups.ts";
import { Prng } from "../../src/base/prng.ts";

const FLOWS = 1_000_000;
const WITHIN = 0.005;
const seed = Number(process.env.SEED ?? 20_181_126);

/** Sources in a few networks, ports counted upwards: nothing like random bits. */
function source(prng: Prng, i: number) {
  const address = `10.${i % 7}.${(i >> 8) & 63}.${prng.below(250) + 1}`;
  return {
    protocol: i % 3 === 0 ? "UDP" : "TCP",
    source: address,
    sourcePort: 32_768 + (i % 28_000),
    address: "198.51.100.1",
    port: 5060,
  } as const;
}

test(`shares of a million flows are within 0.5 % of dials and weights (SEED=${seed})`, () => {
  const prng = new Prng(seed);
  const groups = [
    groupOf("near", { n1: 128, n2: 64, n3: 1, n4: 0 }, 70),
    groupOf("mid", { m1: 255, m2: 1 }, 50),
    groupOf("far", { f1: 10, f2: 30 }, 100),
  ];
  const balance = balanceOf(groups);
  const counts = new Map<string, number>();
  for (let i = 0; i < FLOWS; i++) {
    const { id } = balance.choose(flowHash(source(prng, i), "NONE"))!.endpoint;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const expected = {
    ...{ n1: (0.7 * 128) / 193, n2: (0.7 * 64) / 193, n3: (0.7 * 1) / 193, n4: 0 },
    ...{ m1: (0.3 * 0.5 * 255) / 256, m2: (0.3 * 0.5) / 256 },
    ...{ f1: 0.3 * 0.5 * 0.25, f2: 0.3 * 0.5 * 0.75 },
  };
  for (const [id, share] of Object.entries(expected)) {
    const got = (counts.get(id) ?? 0) / FLOWS;
    assert.ok(Math.abs(got - share) <= WITHIN, `${id}: ${got}, expected ${share}`);
  }
});

test(`2-tuple affinity: every flow of a source goes to one endpoint, and sources spread by weights (SEED=${seed})`, () => {
  const prng = new Prng(seed);
  const balance = balanceOf([groupOf("near", { n1: 128, n2: 64 }, 60), groupOf("far", { f1: 128 })]);
  const known = new Map<string, string>();
  for (let i = 0; i < 200_000; i++) {
    const flow = source(prng, i);
    const { id } = balance.choose(flowHash(flow, "SOURCE_IP"))!.endpoint;
    assert.equal(known.get(flow.source) ?? id, id, flow.source);
    known.set(flow.source, id);
  }
  const share = [...known.values()].filter((id) => id === "n1").length / known.size;
  assert.ok(known.size > 20_000 && Math.abs(share - 0.4) < 0.02, `${share} of ${known.size} sources`);
});
