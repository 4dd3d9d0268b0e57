import assert from "node:assert/strict";
import { test } from "node:test";
import { ReturnPath, Stamps } from "./clock-stamp.ts";

const view = new DataView(new ArrayBuffer(64));

/** Stamps of a peer whose clock began at `offset` and runs at `rate`, over a way back that takes what `delay` says. */
class Peer {
  readonly stamps = new Stamps();
  readonly path = new ReturnPath();
  readonly #offset: number;
  readonly #rate: number;

  constructor(offset: number, rate = 1) {
    this.stamps.wanted = true;
    this.#offset = offset;
    this.#rate = rate;
  }

  say(now: number, delay: number): number {
    this.stamps.received(this.#offset + now * this.#rate, 20_000);
    const length = this.stamps.transmit(view, 3, 7);
    if (length > 0) this.path.receive(now + delay, view, 3, 3 + length);
    return this.path.queue(now + delay);
  }
}

test("a queue on the way back is seen, whatever the peer's clock says", () => {
  for (const offset of [0, 1e6, 4_294_967_000 / 10, 9e9]) {
    const peer = new Peer(offset);
    assert.equal(peer.say(1000, 20), 0);
    assert.ok(Math.abs(peer.say(1100, 220) - 200) < 0.2, `offset ${offset}`);
    assert.ok(Math.abs(peer.say(1200, 30) - 10) < 0.2);
    assert.equal(peer.say(1300, 20) < 0.2, true);
  }
});

test("a stamp for so much that came, no more often than every 20 ms, and none for who does not ask", () => {
  const stamps = new Stamps();
  stamps.received(0, 1e6);
  assert.equal(stamps.transmit(view, 0, 1), 0);
  stamps.wanted = true;
  let said = 0;
  for (let now = 100; now < 1100; now++) {
    stamps.received(now, 1400);
    if (stamps.transmit(view, 0, 1) > 0) said++;
  }
  assert.ok(said > 40 && said <= 50, `${said} in a second of 1,000 datagrams`);
  for (let now = 2000; now < 12_000; now += 20) {
    stamps.received(now, 300);
    if (stamps.transmit(view, 0, 1) > 0) said -= 1000;
  }
  assert.ok(said > -10_000, "sparse traffic needs none");
});

test("clocks that drift apart are no queue, and a queue that stands for minutes stays one", () => {
  for (const rate of [1 + 5e-5, 1 - 5e-5]) {
    const peer = new Peer(0, rate);
    for (let now = 0; now < 600_000; now += 1000) assert.ok(peer.say(now, 20) < 1, `rate ${rate} at ${now}`);
  }
  const peer = new Peer(0);
  peer.say(0, 20);
  let queue = 0;
  for (let now = 1000; now < 300_000; now += 100) queue = peer.say(now, 320);
  assert.ok(queue > 260, `${queue} ms`);
});

test("what was said long ago, or of another way, says nothing; what is damaged is counted", () => {
  const peer = new Peer(0);
  peer.say(0, 20);
  peer.say(100, 120);
  assert.equal(peer.path.queue(421), 0);
  peer.say(500, 120);
  peer.path.moved();
  assert.equal(peer.path.queue(621), 0);
  assert.equal(peer.say(700, 320), 0, "the first of a way is its least");
  peer.path.receive(800, view, 0, 9);
  assert.equal(peer.path.errors, 1);
});
