/** Several users on one port, in virtual time: who is who, and that each limit holds. Each test fails when what it is about is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SLOT_BYTES } from "../src/base/batch.ts";
import { Prng } from "../src/base/prng.ts";
import { primitives } from "../src/host/crypto.ts";
import { type Log, silentLog } from "../src/host/log.ts";
import { TunnelClient } from "../src/tunnel/client.ts";
import { clientConfig } from "../src/tunnel/config.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";
import { UdpApplication, UdpEcho } from "./udp-application.ts";

const far = "10.0.0.2";
const ann = { name: "ann", key: "ann's key" };
const bob = { name: "bob", key: "bob's key", crypt: "aes-128-gcm" };
const eve = { name: "eve", key: "eve's key", crypt: "xtea" };

interface Options {
  readonly users: readonly object[];
  readonly server?: Record<string, unknown>;
  readonly client?: Record<string, unknown>;
  readonly log?: Log;
  readonly answerBytes?: number;
  readonly link?: string;
}

/** A world whose own client is the first user; others come from hosts of their own. */
class UsersWorld extends TunnelWorld {
  readonly clients: TunnelClient[] = [this.client];
  readonly targets: Traffic[] = [];
  readonly #link: string;
  readonly #prng = new Prng(99);
  readonly #settings: Record<string, unknown>;

  constructor({ users, server = {}, client = {}, log = silentLog, answerBytes = 1000, link = "delay=10" }: Options) {
    const targets: Traffic[] = [];
    super(
      {
        link,
        seed: 3,
        log,
        server: { crypt: "aes", users, ...server },
        client: without(client, users[0]!),
      },
      (socket) => {
        const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: answerBytes });
        traffic.connected(0);
        targets.push(traffic);
        return traffic;
      },
    );
    this.targets = targets;
    this.#link = link;
    this.#settings = client;
  }

  /** Another client; its host is the one whose number it has. */
  join(user: { readonly key: string; readonly crypt?: string }, host: number): TunnelClient {
    const address = `10.0.1.${host}`;
    this.network.join(address, far, this.#link, host);
    const random = { ...primitives, random: (into: Uint8Array) => void this.#prng.fill(into) };
    const config = clientConfig.parse({
      crypt: user.crypt ?? "aes",
      ...this.#settings,
      key: user.key,
      localaddr: `${address}:1000`,
      remoteaddr: `${far}:3000`,
    });
    const client = new TunnelClient(config, { loop: this.network.host(address), log: silentLog, primitives: random });
    this.clients.push(client);
    return client;
  }

  talk(host: number | undefined, sendBytes = 100, port = 1000): Traffic {
    const address = host === undefined ? "10.0.0.1" : `10.0.1.${host}`;
    const at = { host: address, port };
    const loop = this.network.host(address);
    const traffic: Traffic = new Traffic(() => socket, { sendSeed: 1, expectSeed: 2, sendBytes });
    const socket = loop.connect(at, traffic);
    return traffic;
  }
}

function without(settings: Record<string, unknown>, user: object): Record<string, unknown> {
  const { key, crypt } = user as { key?: string; crypt?: string };
  return { ...settings, ...(key === undefined ? {} : { key }), crypt: crypt ?? "aes" };
}

test("clients of three users and ciphers share a port; each is known by its key, a stranger by none", () => {
  const log = new LogLines();
  const of = new UsersWorld({ users: [ann, bob, eve], log });
  of.join(bob, 1);
  of.join(eve, 2);
  of.join({ key: "nobody's" }, 3);
  const all = [of.talk(undefined), of.talk(1), of.talk(2)];
  const stranger = of.talk(3);
  assert.ok(of.run(3, () => all.every(({ received }) => received === 1000)));
  of.run(2);
  assert.ok(all.every(({ wrong }) => wrong === 0));
  assert.equal(stranger.received, 0);
  assert.deepEqual(
    of.server
      .report(0)
      .map(({ user, peer }) => [user, peer.replace(/:.*/, "")])
      .sort(),
    [
      ["ann", "10.0.0.1"],
      ["bob", "10.0.1.1"],
      ["eve", "10.0.1.2"],
    ],
  );
  assert.deepEqual(
    of.server
      .users()
      .map(({ name, sessions, streams, receivedPayloadBytes, sentPayloadBytes }) => [
        name,
        sessions,
        streams,
        receivedPayloadBytes,
        sentPayloadBytes,
      ]),
    [ann, bob, eve].map(({ name }) => [name, 1, 1, 100, 1000]),
  );
  assert.ok(log.count("no user has this key and crypt") > 0);
  const named = log.lines.filter((line) => line.includes("session started") && line.includes('"user":"bob"'));
  assert.equal(named.length, 1, log.lines.join("\n"));
  assert.ok(!log.lines.some((line) => /ann's key|bob's key|eve's key/.test(line)));
});

test("tries: strangers cost so many decryptions a second and no more; those who are known do not notice", () => {
  const of = new UsersWorld({ users: [ann, bob, eve], server: { tries: 50 } });
  const known = of.talk(undefined, 200_000);
  of.run(1);
  const garbage = new Uint8Array(SLOT_BYTES);
  const prng = new Prng(5);
  of.network.join("10.9.9.9", far, "delay=1", 9);
  const before = of.server.observe(0, { sessionsMax: 1, streamsMax: 0 }).totals.counted.users!;
  for (let i = 0; i < 2000; i++) {
    of.network.at(of.network.now + i, () => {
      prng.fill(garbage.subarray(0, 200));
      of.network.send("10.9.9.9", 1000 + i, far, 3000, garbage, 0, 200);
    });
  }
  of.run(2.5);
  const after = of.server.observe(0, { sessionsMax: 1, streamsMax: 0 }).totals.counted.users!;
  const tries = after.tries! - before.tries!;
  assert.ok(tries >= 100 && tries <= 200, `${tries} tries in 2 s`);
  assert.ok(after.triesRefused! >= 1900, `${after.triesRefused} refused`);
  assert.deepEqual([known.wrong, known.received, of.targets[0]!.received], [0, 1000, 200_000]);
  const late = of.join(bob, 1);
  const latecomer = of.talk(1);
  assert.ok(
    of.run(3, () => latecomer.received === 1000),
    `${late.report(0).length}`,
  );
});

test("triesonce: a user beyond the tries of one datagram is found by the next ones", () => {
  const users = Array.from({ length: 40 }, (_, i) => ({ name: `user${i}`, key: `key ${i}`, crypt: "xor" }));
  const of = new UsersWorld({ users, server: { triesonce: 8 } });
  of.join(users[39]!, 1);
  const traffic = of.talk(1);
  assert.ok(of.run(5, () => traffic.received === 1000));
  const { tries, unreadable } = of.server.observe(0, { sessionsMax: 1, streamsMax: 0 }).totals.counted.users!;
  assert.ok(unreadable! >= 4 && tries! >= 40, `${unreadable} unreadable, ${tries} tries`);
});

test("rateup and ratedown hold for all sessions of a user together, and only for that user", () => {
  const slow = { ...ann, rateup: 100_000, ratedown: 200_000 };
  const of = new UsersWorld({
    users: [slow, bob],
    client: { conn: 2, datashard: 0, nocomp: "true", sndwnd: 48 },
    server: { datashard: 0 },
    answerBytes: 2_000_000,
  });
  of.join(bob, 1);
  const mine = [of.talk(undefined, 2_000_000), of.talk(undefined, 2_000_000)];
  const theirs = of.talk(1, 2_000_000);
  of.run(5);
  const [up, down] = [of.server.users()[0]!.receivedPayloadBytes, mine[0]!.received + mine[1]!.received];
  assert.ok(up > 400_000 && up < 100_000 * 5 + 250_000, `${up} bytes up in 5 s`);
  assert.ok(down > 800_000 && down < 200_000 * 5 + 100_000, `${down} bytes down in 5 s`);
  const [a, b] = mine.map(({ received }) => received).sort((x, y) => x - y);
  assert.ok(a! > b! / 2, `shares ${a} and ${b}`);
  assert.equal(theirs.received, 2_000_000);
  assert.ok(
    of.run(40, () => of.targets.every(({ received }) => received === 2_000_000)),
    "all arrives in the end",
  );
  assert.ok([...of.targets, ...mine, theirs].every(({ wrong, broken }) => wrong === 0 && broken === undefined));
});

test("sessions and streams: a user has no more than its own, others are not touched", () => {
  const few = { ...ann, sessions: 1, streams: 2 };
  const of = new UsersWorld({ users: [few, bob] });
  of.join(bob, 1);
  of.join(few, 2);
  const mine = [of.talk(undefined), of.talk(undefined), of.talk(undefined)];
  of.run(1);
  const second = of.talk(2);
  const theirs = [of.talk(1), of.talk(1), of.talk(1)];
  of.run(2);
  assert.deepEqual(mine.map(({ received }) => received).sort(), [0, 1000, 1000]);
  assert.equal(mine.filter(({ ended, broken }) => ended || broken !== undefined).length, 1, "the third is ended, not left hanging");
  assert.equal(second.received, 0);
  assert.ok(theirs.every(({ received }) => received === 1000));
  const { sessionsRefused, streamsRefused } = of.server.users()[0]!;
  assert.ok(sessionsRefused > 0);
  assert.equal(streamsRefused, 1);
});

test("quota: when it is used up the user's sessions end and it gets no more", () => {
  const log = new LogLines();
  const of = new UsersWorld({ users: [{ ...ann, quota: 50_000 }, bob], log });
  of.join(bob, 1);
  const [mine, theirs] = [of.talk(undefined, 100_000), of.talk(1, 100_000)];
  of.run(12);
  assert.equal(of.server.report(0).length, 1);
  assert.equal(log.count("quota is used up"), 1);
  const again = of.talk(undefined);
  of.run(5);
  assert.equal(again.received, 0);
  assert.deepEqual([theirs.received, theirs.broken, mine.received], [1000, undefined, 1000]);
  assert.equal(of.server.users()[0]!.quotaExceeded, 1);
});

test("targets: a user reaches those on its own list, and the default", () => {
  const log = new LogLines();
  const targets = [`a=${far}:2000`, `b=${far}:2000`];
  const forward = ["10.0.0.1:1001=a", "10.0.0.1:1002=b"];
  const of = new UsersWorld({ users: [{ ...ann, targets: ["a"] }, bob], server: { targets }, client: { forward }, log });
  const [byDefault, a, b] = [of.talk(undefined), of.talk(undefined, 100, 1001), of.talk(undefined, 100, 1002)];
  of.run(3);
  assert.deepEqual([byDefault.received, a.received, b.received, b.broken], [1000, 1000, 0, "ECONNRESET"]);
  assert.ok(log.count(`\\"b\\" is not a target for TCP here`) + log.count("not one of the user's targets") > 0, log.lines.join("\n"));
});

test("targets: UDP and reverse listeners are asked for by name as well, and not reached otherwise", () => {
  const log = new LogLines();
  const of = new UsersWorld({
    users: [{ ...ann, targets: ["echo"] }],
    log,
    client: { forward: ["udp:10.0.0.1:1053=echo", "udp:10.0.0.1:1054=other"], reverse: ["web=10.0.0.1:80"] },
    server: { targets: [`echo=udp:${far}:7`, `other=udp:${far}:7`], reverse: [`web=${far}:8080`] },
  });
  new UdpEcho(of.network.host(far), 7);
  const [echo, other] = [1053, 1054].map((port) => new UdpApplication(of.network.host("10.0.0.1"), { host: "10.0.0.1", port }));
  echo!.send(100);
  other!.send(100);
  of.run(3);
  assert.deepEqual([echo!.answers.length, other!.answers.length, of.server.listeners], [1, 0, 0]);
  assert.equal(log.count('"other" is not a target for UDP here (not one of the user\'s targets)'), 2);
  assert.ok(log.count('"web" is not a listener here (not one of the user\'s targets)') >= 1);
});
