import assert from "node:assert/strict";
import { test } from "node:test";
import type { Carrier, Link } from "../src/host/link.ts";
import { auto } from "./auto/case.ts";
import { TwoWays } from "./two-ways.ts";

const link = "delay=20 rate=20mbit qbytes=256k";

test("a way dies under a connection: it goes on over the other within 150 ms, nothing is lost, and comes back when the first works again", () => {
  const two = new TwoWays(link, link);
  const { network } = two.world;
  two.cut(4000, 8000);
  two.run(18);
  assert.equal(two.wrong, 0);
  assert.equal(two.received, two.sent);
  assert.ok(two.gap > 0 && two.gap <= 150, `${two.gap} ms`);
  assert.equal(two.lines.count('"reason":"silent"'), 1);
  assert.equal(two.lines.count('"reason":"back"'), 1);
  assert.equal(two.world.server.report(network.now).length, 1);
});

test("a way is policed: within 3 s the session has gone to another and stays there", () => {
  const two = new TwoWays(`${link} udprate=500kbit udpburst=16k`, link);
  two.run(12);
  assert.equal(two.wrong, 0);
  assert.equal(two.received, two.sent);
  const moved = two.lines.lines.filter((line) => line.includes('"reason":"lossy"'));
  assert.equal(moved.length, 1, moved.join("\n"));
  assert.ok(two.second.ab.counters.receivedBytes > 0.6 * two.sent);
});

test("from a way that is policed it goes to one with a long queue, whose answers are late, and does not run back and forth", () => {
  const two = new TwoWays(`${link} udprate=500kbit udpburst=16k`, "delay=50 jitter=15 jdist=exp loss=0.5% rate=6mbit qbytes=400k");
  two.run(12);
  assert.equal(two.received, two.sent);
  const moved = two.lines.lines.filter((line) => line.includes("session goes on over another way"));
  assert.equal(moved.length, 1, moved.join("\n"));
});

test("a way that never works is told of once a minute", () => {
  const two = new TwoWays(link, `${link} down=1`);
  two.run(150);
  assert.equal(two.received, two.sent);
  assert.equal(two.lines.count("never worked"), 3);
});

test("the first way is dead from the beginning: the session begins on another", () => {
  const two = new TwoWays(`${link} down=1`, link);
  two.run(12);
  assert.ok(two.sent > 0);
  assert.equal(two.received, two.sent);
});

test("6 Mbit/s on a way that is policed: a second later they are on the other, and next to nothing is left of what had waited", () => {
  const links = "delay=50 loss=0.5% rate=20mbit qbytes=256k";
  const two = new TwoWays(`${links} udprate=1mbit udpburst=32k`, links, { pieceBytes: 7500, burstBytes: 50_000, windows: auto });
  let behind = Number.NaN;
  two.world.network.at(1900, () => (behind = two.sent - two.received));
  two.run(6);
  assert.equal(two.received, two.sent);
  // On their way for 50 ms are 37 kB.
  assert.ok(behind < 75_000, `${behind} bytes wait`);
});

test("over a way that paces and resends by itself nothing is paced, protected or sent twice", () => {
  const carried = (carrier: Carrier): Carrier => {
    const paces = (link: Link): Link => Object.assign(link, { paces: () => true });
    return {
      ...carrier,
      dial: (...given) => paces(carrier.dial(...given)),
      listen: (...given) => paces(carrier.listen(...given)),
    };
  };
  // The first way is dead. The second holds its packets back now and then for longer than a round trip, as TCP does with all behind a lost one.
  const pauses = "delay=20 jitter=60 jdist=exp";
  const two = new TwoWays(`${link} down=1`, pauses, { pieceBytes: 20_000, wrap: carried });
  two.run(6);
  assert.ok(two.sent > 1e6);
  assert.equal(two.received, two.sent);
  assert.ok(two.second.ab.counters.receivedBytes < 1.06 * two.sent, `${two.second.ab.counters.receivedBytes} bytes for ${two.sent}`);
});
