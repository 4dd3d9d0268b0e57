import assert from "node:assert/strict";
import { test } from "node:test";
import { createCipher } from "../src/cipher/cipher.ts";
import { primitives } from "../src/host/crypto.ts";
import { Doctor } from "../src/tunnel/doctor.ts";
import { advice, carried, type Findings, policed, sentences } from "../src/tunnel/findings.ts";
import { TunnelWorld } from "./tunnel-world.ts";

function examine(link: string, { key = "k", extensions = "true", natSeconds = 0 } = {}): { findings: Findings; seconds: number } {
  const keyed = { crypt: "aes", key: "k", extensions };
  const world = new TunnelWorld({ link: `${link} ovh=28`, seed: 3, client: keyed, server: { ...keyed, mode: "auto" } }, () => {
    throw new Error("no connection is made");
  });
  let findings: Findings | undefined;
  const cipher = createCipher("aes", primitives.deriveKey(key), primitives);
  const loop = world.network.host("10.0.0.1");
  new Doctor(loop, {
    conv: 77,
    cipher,
    to: { host: "10.0.0.2", port: 3000 },
    mbpsMax: 20,
    natSeconds,
    progress: () => {},
    done: (found) => (findings = found),
  });
  assert.ok(world.run(200, () => findings !== undefined));
  return { findings: findings!, seconds: world.network.now / 1000 };
}

function measured(link: string, options = {}): Extract<Findings, { answer: "ours" }> {
  const { findings, seconds } = examine(link, options);
  assert.equal(findings.answer, "ours");
  assert.ok(seconds < 15 || Object.keys(options).length > 0, `${seconds} s`);
  return findings as Extract<Findings, { answer: "ours" }>;
}

const near = (value: number, wanted: number, share: number): void =>
  assert.ok(Math.abs(value - wanted) <= share * wanted, `${value} instead of ${wanted}`);

test("round trip, loss of its own and what a way carries, each way, within 15 s", () => {
  const found = measured("delay=50 loss=2% rate=20mbit qbytes=256k");
  near(found.rtt.median, 101, 0.03);
  near(found.up.light.loss, 0.02, 0.9);
  near(found.down.light.loss, 0.02, 0.9);
  near(carried(found.up), 20, 0.1);
  near(carried(found.down), 20, 0.1);
  assert.equal(policed(found.up), false);
  assert.match(sentences(found).join("\n"), /one by one: FEC repairs/);
  assert.match(advice(found, "far:29900").kcptun, /--parityshard 3/);
});

test("loss in runs is told from loss one by one", () => {
  const found = measured("delay=20 ge=6%:6 rate=50mbit qbytes=512k");
  assert.ok(found.up.light.run >= 3, `${found.up.light.run}`);
  assert.match(sentences(found).join("\n"), /in runs of/);
});

test("a policer is found, and another carrier is advised", () => {
  const found = measured("delay=50 rate=20mbit qbytes=256k udprate=2mbit udpburst=64k");
  assert.ok(policed(found.up) && policed(found.down));
  assert.ok(found.up.heavy.deliveredMbps < 3, `${found.up.heavy.deliveredMbps}`);
  assert.match(sentences(found).join("\n"), /UDP is policed on the way there/);
  assert.match(advice(found, "far:29900").ours.client, /--path faketcp=far:29901/);
});

test("a way that is merely narrow is full, and not policed", () => {
  const found = measured("delay=30 rate=1500kbit qbytes=128k");
  assert.equal(policed(found.up), false);
  near(carried(found.up), 1.5, 0.15);
});

test("jitter and packets that overtake others", () => {
  const found = measured("delay=40 jitter=20 reorder=1 rate=50mbit qbytes=256k");
  assert.ok(found.up.light.jitterMs > 8, `${found.up.light.jitterMs}`);
  assert.ok(found.up.light.late > 0.05, `${found.up.light.late}`);
});

test("pauses are tried when asked", () => {
  const found = measured("delay=10", { natSeconds: 60 });
  assert.deepEqual(found.nat, { rememberedSeconds: 60, forgot: false });
});

test("who does not answer, does not understand or has another key is told apart as far as can be", () => {
  assert.equal(examine("down=1").findings.answer, "nobody");
  assert.equal(examine("delay=10", { key: "another" }).findings.answer, "nobody");
  assert.equal(examine("delay=10", { extensions: "false" }).findings.answer, "nobody");
  for (const answer of ["nobody", "unreadable", "other", "lost"] as const) assert.equal(sentences({ answer }).length, 1);
});
