/** Copies over a second way (option copies), in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TwoWays } from "./two-ways.ts";
import { UdpApplication, UdpEcho } from "./udp-application.ts";

const link = "delay=20 rate=20mbit qbytes=256k";
const messages = { pieceBytes: 200, everyMs: 20 };

test("everything is copied: the way that is taken dies and comes back, and no message is late", () => {
  const late = (copies: number): number => {
    const two = new TwoWays(link, "delay=30 rate=20mbit qbytes=256k", { ...messages, client: { copies } });
    two.cut(4000, 8000);
    two.run(18);
    assert.equal(two.wrong, 0);
    assert.equal(two.received, two.sent);
    return two.quantile(1);
  };
  const [alone, copied] = [late(0), late(1)];
  assert.ok(alone > 80, `${alone} ms without copies`);
  // The second way takes 30 ms.
  assert.ok(copied <= 35, `${copied} ms`);
});

test("two ways that lose runs of packets, everything copied: no message of a hundred is late, for a quarter more bytes", () => {
  const bytes = { 0: 0, 1: 0 };
  // How often one way alone is left for the other is chance, and with it the bytes: 1.4 to 2 MB.
  for (const delay of [58, 60, 61, 62]) {
    const lossy = `delay=${delay} ge=6%:6 rate=20mbit qbytes=256k`;
    const p99 = { 0: 0, 1: 0 };
    for (const copies of [0, 1] as const) {
      const two = new TwoWays(lossy, lossy, { ...messages, client: { copies } });
      two.run(60);
      assert.equal(two.received, two.sent);
      p99[copies] = two.quantile(0.99);
      bytes[copies] += two.world.links.ab.counters.receivedBytes + two.second.ab.counters.receivedBytes;
    }
    assert.ok(p99[1] < delay + 5 && p99[0] > delay + 90, `p99 ${p99[1]} beside ${p99[0]} ms`);
  }
  // What one way loses nobody sees, and so it needs neither parity nor echoes.
  assert.ok(bytes[1] < 1.3 * bytes[0], `${bytes[1]} beside ${bytes[0]} bytes`);
});

const frames = { pieceBytes: 12_500, everyMs: 33 };

test("a stream over two ways that lose runs of packets, everything copied: next to no frame is late", (t) => {
  const lossy = "delay=60 ge=6%:6 rate=20mbit qbytes=256k";
  const [alone, copied] = [0, 1].map((copies) => {
    const two = new TwoWays(lossy, lossy, { ...frames, client: { copies } });
    two.run(60);
    assert.equal(two.received, two.sent);
    return [0.5, 0.95, 0.99].map((q) => Math.round(two.quantile(q)));
  });
  t.diagnostic(`p50, p95, p99: ${alone!.join(", ")} ms, copied ${copied!.join(", ")}`);
  assert.ok(copied![1]! < 70 && alone![1]! > 150, `p95 ${copied![1]} beside ${alone![1]} ms`);
  assert.ok(copied![2]! < alone![2]!);
});

test("a share of it: no more than that is copied, and a stream has a lower p99", (t) => {
  for (const [first, second] of [
    ["loss=3%", "delay=30 loss=1%"],
    ["ge=4%:5", "delay=60 ge=4%:5"],
    ["ge=4%:5", "delay=110 loss=1%"],
  ] as const) {
    const p99 = { 0: 0, 0.2: 0 };
    for (const copies of [0, 0.2] as const) {
      for (const delay of [60, 61, 62, 63]) {
        const two = new TwoWays(`delay=${delay} ${first} rate=20mbit qbytes=256k`, `${second} rate=20mbit qbytes=256k`, {
          ...frames,
          client: { copies },
        });
        two.run(30);
        assert.equal(two.received, two.sent);
        p99[copies] += two.quantile(0.99) / 4;
        const [main, beside] = [two.world.links.ab, two.second.ab].map(({ counters }) => counters.receivedBytes);
        if (copies > 0) assert.ok(beside! < 0.25 * main! && beside! > 0.02 * main!, `${beside} bytes beside ${main}`);
      }
    }
    t.diagnostic(`${first}, beside it ${second}: p99 ${p99[0].toFixed(0)} ms, copied ${p99[0.2].toFixed(0)}`);
    assert.ok(p99[0.2] < 1.02 * p99[0], `${first}, ${second}: ${p99[0.2]} beside ${p99[0]}`);
  }
});

test("datagrams of flows that come by both ways are handed out once", () => {
  const entrance = { host: "10.0.0.1", port: 1001 };
  const lossy = "delay=60 ge=6%:6 rate=20mbit qbytes=256k";
  const two = new TwoWays(lossy, "delay=90 jitter=20 loss=3% rate=20mbit qbytes=256k", {
    client: { copies: 1, forward: [`udp:${entrance.host}:${entrance.port}=echo`] },
    server: { targets: ["echo=udp:10.0.0.2:7"] },
    pieceBytes: 100,
  });
  const { network } = two.world;
  const echo = new UdpEcho(network.host("10.0.0.2"), 7);
  const application = new UdpApplication(network.host("10.0.0.1"), entrance);
  for (let at = 2000; at < 30_000; at += 20) network.at(at, () => application.send(160));
  two.run(32);
  assert.equal(application.wrong, 0);
  assert.equal(new Set(application.answers).size, application.answers.length, "none twice");
  assert.ok(echo.received <= application.sent);
  assert.ok(application.answers.length >= 0.995 * application.sent, `${application.answers.length} of ${application.sent}`);
});
