/** Copies over a second way (option copies), in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TwoWays } from "./two-ways.ts";
import { UdpApplication, UdpEcho } from "./udp-application.ts";

const link = "delay=20 rate=20mbit qbytes=256k";
const messages = { pieceBytes: 200, everyMs: 20 };

const quantile = (delays: readonly number[], q: number): number => [...delays].sort((a, b) => a - b)[Math.floor(q * (delays.length - 1))]!;
const worst = (delays: readonly number[]): number => quantile(delays, 1);

test("everything is copied: the way that is taken dies and comes back, and no message is late", () => {
  const late = (copies: number): number => {
    const two = new TwoWays(link, "delay=30 rate=20mbit qbytes=256k", { ...messages, client: { copies } });
    const { network, links } = two.world;
    network.at(4000, () => {
      links.ab.set("down=1");
      links.ba.set("down=1");
    });
    network.at(8000, () => {
      links.ab.set("down=0");
      links.ba.set("down=0");
    });
    two.run(18);
    assert.equal(two.wrong, 0);
    assert.equal(two.received, two.sent);
    return worst(two.delays);
  };
  const [alone, copied] = [late(0), late(1)];
  assert.ok(alone > 80, `${alone} ms without copies`);
  // The second way takes 30 ms.
  assert.ok(copied <= 35, `${copied} ms`);
});

test("two ways that lose runs of packets, everything copied: no message of a hundred is late, for hardly more bytes", () => {
  const lossy = "delay=60 ge=6%:6 rate=20mbit qbytes=256k";
  const run = (copies: number): TwoWays => {
    const two = new TwoWays(lossy, lossy, { ...messages, client: { copies } });
    two.run(60);
    assert.equal(two.received, two.sent);
    return two;
  };
  const [alone, copied] = [run(0), run(1)];
  const bytes = ({ world, second }: TwoWays): number => world.links.ab.counters.receivedBytes + second.ab.counters.receivedBytes;
  const [p99, p99Alone] = [quantile(copied.delays, 0.99), quantile(alone.delays, 0.99)];
  assert.ok(p99 < 65 && p99Alone > 150, `p99 ${p99} beside ${p99Alone} ms`);
  // What one way loses nobody sees, and so it needs neither parity nor echoes.
  assert.ok(bytes(copied) < 1.15 * bytes(alone), `${bytes(copied)} beside ${bytes(alone)} bytes`);
});

test("a share of it: no more than that is copied, and a stream is not slower for it", () => {
  const lossy = "delay=40 loss=2% rate=20mbit qbytes=256k";
  const run = (copies: number): TwoWays => {
    const two = new TwoWays(lossy, "delay=20 loss=2% rate=20mbit qbytes=256k", { pieceBytes: 12_500, everyMs: 33, client: { copies } });
    two.run(30);
    assert.equal(two.received, two.sent);
    return two;
  };
  const [alone, copied] = [run(0), run(0.2)];
  const [main, second] = [copied.world.links.ab.counters.receivedBytes, copied.second.ab.counters.receivedBytes];
  assert.ok(second < 0.25 * main, `${second} bytes beside ${main}`);
  assert.ok(second > 0.05 * main, `${second} bytes beside ${main}`);
  for (const q of [0.5, 0.95, 0.99])
    assert.ok(
      quantile(copied.delays, q) <= 1.1 * quantile(alone.delays, q),
      `quantile ${q}: ${quantile(copied.delays, q)} beside ${quantile(alone.delays, q)}`,
    );
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
