/** The question and its answer, in time, with losses, and with a peer that does not know them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { NEVER } from "../base/units.ts";
import { Kcp } from "../kcp/kcp.ts";
import { looksLikeKcp } from "../kcp/segment.ts";
import { isExtension, readType } from "./header.ts";
import { HELLO, HELLO_BYTES } from "./hello.ts";
import { Negotiation } from "./negotiation.ts";

const bytes = new Uint8Array(2048);
const view = new DataView(bytes.buffer);

/** Everything `from` says at `now`. */
function say(from: Negotiation, now: number): number {
  from.advance(now);
  return from.transmit(bytes, view, 100);
}

function hear(to: Negotiation, length: number): void {
  assert.ok(isExtension(view, 100, 100 + length));
  to.receive(readType(view, 100), bytes, view, 100, 100 + length);
}

test("two ends of ours find each other with one message each way", () => {
  const client = new Negotiation("client", 7, 5);
  const server = new Negotiation("server", 7, 10);
  hear(server, say(client, 0));
  assert.deepEqual([server.standing, server.peerFeatures], ["extended", 5]);
  hear(client, say(server, 50));
  assert.deepEqual([client.standing, client.peerFeatures, client.version], ["extended", 10, 1]);
  assert.deepEqual([client.deadline(), server.deadline(), say(client, 1000), say(server, 1000)], [NEVER, NEVER, 0, 0]);
});

test("a server that says nothing at all is asked ever less often, and no opinion is formed", () => {
  const client = new Negotiation("client", 7, 0);
  const asked: number[] = [];
  for (let now = 0; now <= 30_000; now += 10) if (say(client, now) > 0) asked.push(now);
  assert.deepEqual(asked, [0, 150, 450, 1050, 2250, 4650, 9450, 14_450, 19_450, 24_450, 29_450]);
  assert.equal(client.standing, "unknown");
});

test("a server that speaks but does not answer is asked 6 times more, then taken for a kcptun; `again` asks anew, not at once", () => {
  const client = new Negotiation("client", 7, 0);
  let asked = 0;
  let plainAt = 0;
  for (let now = 0; now <= 60_000; now += 10) {
    if (now === 60) client.heard(now);
    if (say(client, now) > 0) asked++;
    if (plainAt === 0 && client.standing === "plain") plainAt = now;
  }
  assert.deepEqual([asked, plainAt], [7, 150 + 5 * 300 + 1000]);
  assert.equal(client.deadline(), NEVER);
  const early = new Negotiation("client", 7, 0);
  early.heard(0);
  for (let now = 0; early.standing === "unknown"; now += 10) say(early, now);
  assert.equal(early.again(4000), false);
  assert.equal(early.again(60_000), true);
  assert.ok(say(early, 60_000) > 0);
});

test("a late answer counts", () => {
  const client = new Negotiation("client", 7, 0);
  const server = new Negotiation("server", 7, 3);
  const hello = say(client, 0);
  const late = bytes.slice(100, 100 + hello);
  client.heard(1);
  for (let now = 10; client.standing === "unknown"; now += 10) say(client, now);
  bytes.set(late, 100);
  hear(server, hello);
  hear(client, say(server, 9000));
  assert.deepEqual([client.standing, client.peerFeatures], ["extended", 3]);
});

test("20 % loss each way: the peer is known, 200 seeds", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const prng = new Prng(seed);
    const client = new Negotiation("client", 7, 0);
    const server = new Negotiation("server", 7, 0);
    for (let now = 0; now < 10_000 && client.standing !== "extended"; now += 50) {
      if (now === 100) client.heard(now);
      const asked = say(client, now);
      if (asked > 0 && !prng.chance(0.2)) hear(server, asked);
      const answered = say(server, now);
      if (answered > 0 && !prng.chance(0.2)) hear(client, answered);
    }
    // 0.36^7: one in 1300.
    if (client.standing !== "extended") assert.ok(client.again(20_000), `seed ${seed}`);
  }
});

test("KCP takes HELLO for an unknown command and changes nothing but a counter; nobody takes it for data", () => {
  const client = new Negotiation("client", 7, 0);
  const length = say(client, 0);
  assert.equal(length, HELLO_BYTES);
  assert.equal(looksLikeKcp(view, 100, length), false);
  assert.equal(readType(view, 100), HELLO);
  const kcp = new Kcp({ conv: 7, mtu: 1400, sndWnd: 32, rcvWnd: 32, nodelay: 0, interval: 40, resend: 2, nc: 1, profile: "2021" });
  kcp.send(0, new Uint8Array(100), 0, 100);
  const before = JSON.stringify(kcp.stats);
  assert.equal(kcp.receive(0, bytes, view, 100, 100 + length, true), false);
  const { inErrs, inPkts } = kcp.stats;
  assert.deepEqual([inErrs, inPkts, kcp.waitSnd, kcp.readable], [1, 1, 1, 0]);
  assert.equal(JSON.stringify({ ...kcp.stats, inErrs: 0, inPkts: 0, inBytes: 0 }), before);
});
