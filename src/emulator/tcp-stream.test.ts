import assert from "node:assert/strict";
import { test } from "node:test";
import { Cubic } from "./cubic.ts";
import { parseLink } from "./parse.ts";
import { Reno } from "./reno.ts";
import { TcpStream } from "./tcp-stream.ts";

/** Bulk transfer for `seconds` of virtual time; Mbit/s delivered in the second half (the first one is slow start's luck), bytes checked. */
function bulk(link: string, seconds: number, seed: number): { mbps: number; stream: TcpStream } {
  const stream = new TcpStream(parseLink(link), seed);
  const source = new Uint8Array(65_536).map((_, i) => (i * 31 + (i >> 8)) & 255);
  const sink = new Uint8Array(65_536);
  let [sent, received, early] = [0, 0, 0];
  for (let now = 0; now < seconds * 1000; now = Math.max(now + 0.01, Math.min(stream.deadline(), seconds * 1000))) {
    for (let n = 1; n > 0; sent += n) n = stream.write(now, source, sent & 65_535, 65_536);
    stream.advance(now);
    for (let n = stream.read(sink, 0, sink.length); n > 0; n = stream.read(sink, 0, sink.length)) {
      for (let i = 0; i < n; i += 97) assert.equal(sink[i], source[(received + i) & 65_535]);
      received += n;
      if (now < seconds * 500) early = received;
    }
  }
  return { mbps: ((received - early) * 16) / seconds / 1e6, stream };
}

/** Kernel TCP with CUBIC over the same links, second half of 20 s of bulk (reference/baseline.md, bulk profiles). */
const measured = [
  { name: "a", link: "delay=100 loss=1% rate=20mbit qbytes=512k", mbps: 0.88 },
  { name: "c", link: "delay=50 loss=2% rate=50mbit qbytes=512k", mbps: 0.74 },
  { name: "f", link: "delay=100 rate=20mbit qbytes=512k", mbps: 19.3 },
];

for (const { name, link, mbps } of measured) {
  test(`CUBIC over profile ${name} carries about what a kernel does`, (t) => {
    const runs = [1, 2, 3, 4, 5, 6, 7, 8].slice(0, name === "f" ? 1 : 8).map((seed) => bulk(link, 20, seed).mbps);
    const mean = runs.reduce((sum, run) => sum + run, 0) / runs.length;
    t.diagnostic(`profile ${name}: ${mean.toFixed(2)} Mbit/s, kernel ${mbps}`);
    assert.ok(mean > mbps / 1.5 && mean < mbps * 1.5, `${mean.toFixed(2)} Mbit/s, a kernel carries ${mbps}`);
  });
}

test("nothing is resent on a clean, wide link, and the last byte arrives", () => {
  const stream = new TcpStream(parseLink("delay=20"), 1);
  const data = new Uint8Array(100_000).fill(7);
  assert.equal(stream.write(0, data, 0, data.length), data.length);
  for (let now = 0; now < 5000 && stream.readable < data.length; now = Math.max(now + 0.01, stream.deadline())) stream.advance(now);
  assert.equal(stream.readable, data.length);
  assert.equal(stream.sender.resentSegments, 0);
});

test("a lost tail is repaired by the probe or the timer", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const stream = new TcpStream(parseLink("delay=50 loss=30%"), seed);
    const data = new Uint8Array(20_000).fill(seed);
    stream.write(0, data, 0, data.length);
    let now = 0;
    for (; now < 600_000 && stream.readable < data.length; now = Math.max(now + 0.01, stream.deadline())) stream.advance(now);
    assert.equal(stream.readable, data.length, `seed ${seed}: stuck after ${now} ms`);
  }
});

test("Reno grows by a segment per round trip and halves; CUBIC is back sooner after a loss at a large window", () => {
  const [reno, cubic] = [new Reno(), new Cubic()];
  for (const each of [reno, cubic]) {
    each.acked(0, 190, 100);
    each.reduce();
  }
  assert.equal(reno.cwnd, 100);
  assert.equal(cubic.cwnd, 140);
  // 40 round trips of 100 ms, each with a window of ACKs.
  for (let i = 1; i <= 40; i++) for (const each of [reno, cubic]) each.acked(i * 100, each.cwnd, 100);
  assert.ok(Math.abs(reno.cwnd - 140) < 1, `${reno.cwnd}`);
  assert.ok(cubic.cwnd > 195, `${cubic.cwnd}`);
  reno.collapse();
  assert.equal(reno.cwnd, 1);
});

test("after its timer has fired a sender fills the path again within seconds, though all of a window was lost", () => {
  const stream = new TcpStream(parseLink("delay=100 rate=5mbit qbytes=128k"), 1);
  const bytes = new Uint8Array(65_536);
  let lost = true;
  const run = (from: number, to: number): number => {
    let got = 0;
    for (let now = from; now < to; now = Math.max(now + 0.01, Math.min(stream.deadline(), to))) {
      while (stream.write(now, bytes, 0, bytes.length) > 0);
      if (lost && now >= 4000) stream.ahead.set("delay=100 rate=5mbit qbytes=128k loss=100%");
      stream.advance(now);
      for (let n = stream.read(bytes, 0, bytes.length); n > 0; n = stream.read(bytes, 0, bytes.length)) got += n;
    }
    return got;
  };
  run(0, 6000);
  lost = false;
  stream.ahead.set("loss=0%");
  run(6000, 12_000);
  assert.ok(stream.sender.timeouts > 0);
  const mbps = (run(12_000, 17_000) * 8) / 5e6;
  assert.ok(mbps > 2.5, `${mbps.toFixed(2)} Mbit/s`);
});
