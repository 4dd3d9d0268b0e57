import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { EmulatedLink, type LinkOptions } from "./link.ts";
import { parseLink, parseTrace } from "./parse.ts";

const bytes = new Uint8Array(1500);
const into = new Uint8Array(1500);

/** What arrives, in order: [time, tag]. */
function drain(link: EmulatedLink, until = NEVER): [number, number][] {
  const arrivals: [number, number][] = [];
  for (let at = link.deadline(); at <= until && at !== NEVER; at = link.deadline()) {
    while (link.transmit(at, into, 0) > 0) arrivals.push([at, link.tag]);
  }
  return arrivals;
}

function link(text: string, seed = 1, options?: LinkOptions): EmulatedLink {
  return new EmulatedLink(parseLink(text), seed, options);
}

/** Sends `n` datagrams of `size` bytes, one every `gap` ms; the tag is its number. */
function flow(target: EmulatedLink, n: number, size: number, gap: number): [number, number][] {
  const arrivals: [number, number][] = [];
  for (let i = 0; i < n; i++) {
    arrivals.push(...drain(target, i * gap));
    target.receive(i * gap, bytes, 0, size, i);
  }
  return [...arrivals, ...drain(target, n * gap + 5000)];
}

test("delay: a datagram comes out unchanged when its time has come", () => {
  const wire = link("delay=100");
  assert.equal(wire.deadline(), NEVER);
  const sent = Uint8Array.from({ length: 30 }, (_, i) => i * 3);
  assert.equal(wire.receive(5, sent, 10, 20, 7), true);
  assert.equal(wire.deadline(), 105);
  assert.equal(wire.transmit(104.9, into, 0), 0);
  assert.equal(wire.transmit(105, into, 4), 10);
  assert.equal(wire.tag, 7);
  assert.deepEqual(into.slice(4, 14), sent.slice(10, 20));
  assert.equal(wire.held, 0);
});

test("rate and queue: 20 Mbit/s with 64 kB lets 20 Mbit/s of 30 through, 26 ms late at most", () => {
  const wire = link("rate=20mbit qbytes=64k");
  const arrivals = flow(wire, 10_000, 1250, 1 / 3);
  const seconds = (arrivals.at(-1)![0] - arrivals[0]![0]) / 1000;
  assert.ok(Math.abs((arrivals.length * 1250 * 8) / seconds / 20e6 - 1) < 0.005);
  const late = Math.max(...arrivals.map(([at, i]) => at - i / 3));
  assert.ok(late > 25.7 && late < 26.8, `${late}`);
  assert.ok(wire.counters.queueBytesMax <= 65_536);
  assert.equal(wire.counters.droppedQueue + arrivals.length, 10_000);
});

test("the queue takes one datagram however small its limit", () => {
  assert.equal(flow(link("rate=1mbit qbytes=100"), 3, 1250, 100).length, 3);
});

test("loss: the share asked for, each datagram by itself", () => {
  const wire = link("loss=2%");
  const arrived = flow(wire, 50_000, 100, 1).map(([, i]) => i);
  const lost = wire.counters.droppedLoss;
  assert.ok(Math.abs(lost / 50_000 - 0.02) < 0.002, `${lost}`);
  let runs = 0;
  for (let i = 1; i < arrived.length; i++) if (arrived[i]! - arrived[i - 1]! > 1) runs++;
  assert.ok(lost / runs < 1.06, `runs of ${lost / runs}`);
});

test("Gilbert–Elliott: the mean and the burst length asked for", () => {
  const arrived = flow(link("ge=5%:5"), 100_000, 100, 1).map(([, i]) => i);
  const lost = 100_000 - arrived.length;
  let runs = 0;
  for (let i = 1; i < arrived.length; i++) if (arrived[i]! - arrived[i - 1]! > 1) runs++;
  assert.ok(Math.abs(lost / 100_000 - 0.05) < 0.006, `${lost}`);
  assert.ok(Math.abs(lost / runs - 5) < 0.6, `${lost / runs}`);
});

test("bursts by time: the share of bad time is lost, also after hours of silence", () => {
  const wire = link("get=900:100");
  wire.receive(0, bytes, 0, 100);
  drain(wire);
  const before = wire.counters.droppedLoss;
  let lost = 0;
  for (let i = 0; i < 50_000; i++) {
    wire.receive(8 * 3600e3 + i * 10, bytes, 0, 100);
    while (wire.transmit(8 * 3600e3 + i * 10, into, 0) > 0);
  }
  lost = wire.counters.droppedLoss - before;
  assert.ok(Math.abs(lost / 50_000 - 0.1) < 0.02, `${lost}`);
});

test("jitter keeps the order unless it may not", () => {
  const times = (text: string): [number, number][] => flow(link(text), 2000, 100, 1);
  const kept = times("delay=50 jitter=10");
  assert.ok(kept.every(([, tag], i) => tag === i));
  assert.ok(kept.every(([at, tag]) => at - tag >= 40 && at - tag <= 60));
  const mixed = times("delay=50 jitter=10 reorder=1");
  assert.ok(mixed.some(([, tag], i) => tag !== i));
  const mean = mixed.reduce((sum, [at, tag]) => sum + at - tag, 0) / 2000;
  assert.ok(Math.abs(mean - 50) < 1, `${mean}`);
  const normal = times("delay=50 jitter=10 reorder=1 jdist=normal").map(([at, tag]) => at - tag - 50);
  const deviation = Math.sqrt(normal.reduce((sum, x) => sum + x * x, 0) / 2000);
  assert.ok(Math.abs(deviation - 10) < 0.6, `${deviation}`);
  const exponential = times("delay=50 jitter=10 reorder=1 jdist=exp");
  assert.ok(exponential.every(([at, tag]) => at - tag >= 50) && exponential.some(([at, tag]) => at - tag > 80));
});

test("held datagrams are overtaken", () => {
  const arrivals = flow(link("delay=10 rextra=10%:5"), 1000, 100, 1);
  const late = arrivals.filter(([at, tag]) => Math.abs(at - tag - 15) < 1e-9).length;
  assert.ok(late > 60 && late < 140, `${late}`);
});

test("a policer drops above its rate and lets its burst through", () => {
  const wire = link("udprate=1mbit udpburst=32k");
  const arrivals = flow(wire, 10_000, 1250, 1);
  assert.ok(Math.abs(arrivals.length - (32_768 + 1.25e6) / 1250) < 3, `${arrivals.length}`);
  assert.ok(arrivals.slice(0, 26).every(([, tag], i) => tag === i));
  assert.equal(wire.counters.droppedPoliced, 10_000 - arrivals.length);
  assert.equal(flow(link("udprate=1mbit udpdrop=1", 1, { protocol: "tcp" }), 100, 1250, 1).length, 100);
});

test("duplicates, drops by protocol, and a link that is down", () => {
  const twice = link("dup=25%");
  assert.equal(flow(twice, 4000, 100, 1).length, 4000 + twice.counters.duplicated);
  assert.ok(Math.abs(twice.counters.duplicated - 1000) < 120);
  assert.equal(flow(link("udpdrop=1"), 10, 100, 1).length, 0);
  const down = link("down=1");
  flow(down, 10, 100, 1);
  assert.equal(down.counters.droppedDown, 10);
});

test("a trace changes the link at its times, again and again", () => {
  const trace = parseTrace("1 ab down=1\n2 ab down=0\n2.5 ba down=1\nloop 3");
  const wire = link("delay=10", 1, { trace });
  const seconds = new Set(flow(wire, 9000, 100, 1).map(([, tag]) => Math.floor(tag / 1000)));
  assert.deepEqual([...seconds], [0, 2, 3, 5, 6, 8]);

  // A day later only the present round is lived through.
  assert.equal(wire.receive(86_400_000 + 1500, bytes, 0, 10), false);
  assert.equal(wire.receive(86_400_000 + 2500, bytes, 0, 10), true);
});

test("limits: the store and the size of a datagram", () => {
  const wire = link("delay=1000", 1, { datagramsMax: 100, datagramBytesMax: 200 });
  for (let i = 0; i < 150; i++) wire.receive(0, bytes, 0, 100);
  wire.receive(0, bytes, 0, 201);
  wire.receive(0, bytes, 5, 5);
  assert.equal(wire.held, 100);
  assert.equal(wire.counters.droppedStore, 50);
  assert.equal(wire.counters.droppedSize, 2);
});

test("the same seed is the same link, another seed another", () => {
  const run = (seed: number): [number, number][] =>
    flow(link("delay=50 jitter=5 reorder=1 loss=5% ge=3%:3 dup=1% rate=2mbit", seed), 2000, 700, 1);
  assert.deepEqual(run(3), run(3));
  assert.notDeepEqual(run(3), run(4));
});

test("`set` counts from now on and keeps what it does not name", () => {
  const wire = link("delay=10 loss=1%");
  wire.set("down=1");
  assert.equal(wire.parameters.delay, 10);
  assert.equal(wire.parameters.down, true);
  assert.throws(() => wire.set("down=2"), /down is "2"/);
});
