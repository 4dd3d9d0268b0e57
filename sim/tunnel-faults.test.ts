/**
 * What comes from a bad network and from enemies, against the real client and server with connections under way, in virtual time: nobody's connection
 * ends or is changed, and the counters say what was dropped. Datagrams made up, cut, flipped and replayed, from strangers and under the peer's own
 * address; a flood of 100,000 a second; an enemy that has the key and writes smux frames as it likes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../src/base/prng.ts";
import { createCipher } from "../src/cipher/cipher.ts";
import { primitives } from "../src/host/crypto.ts";
import type { TcpSocket } from "../src/host/loop.ts";
import { WINS, writeHeader } from "../src/kcp/segment.ts";
import { CMD_FIN, CMD_NOP, CMD_PSH, CMD_SYN, CMD_UPD } from "../src/smux/frame.ts";
import { type ClientConfig, clientConfig } from "../src/tunnel/config.ts";
import { RawClient } from "./raw-client.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";

const [near, far, stranger] = ["10.0.0.1", "10.0.0.2", "10.0.0.66"] as const;
const serverPort = 3000;
const bulk = 400_000;
const seed = Number(process.env.SEED ?? 20_261_121);

interface Scene {
  readonly of: TunnelWorld;
  readonly log: LogLines;
  /** One that transfers all the time, one that idles between two messages. */
  readonly busy: Traffic;
  readonly idle: Traffic;
  readonly idleSocket: () => TcpSocket;
  /** Datagrams as they were sent, at most 400 of each. */
  readonly up: Uint8Array[];
  readonly down: Uint8Array[];
  readonly clientPort: () => number;
  /** The newest of each, for what is forged. */
  readonly last: { up: Uint8Array; down: Uint8Array };
  readonly prng: Prng;
}

function scene(crypt: string, options: Record<string, unknown> = {}, sessions = 4096): Scene {
  const log = new LogLines();
  const of = new TunnelWorld(
    {
      link: "delay=10",
      seed: 3,
      log,
      client: { crypt, nocomp: "true", ratelimit: 60_000, ...options },
      server: { crypt, sessions, datashard: options.datashard ?? 10 },
    },
    (socket: TcpSocket) => {
      const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 3000 });
      traffic.connected(0);
      return traffic;
    },
  );
  const [up, down]: [Uint8Array[], Uint8Array[]] = [[], []];
  const last = { up: new Uint8Array(), down: new Uint8Array() };
  let clientPort = 0;
  const { network } = of;
  const send = network.send.bind(network);
  network.send = (from, fromPort, to, toPort, bytes, start, end) => {
    const recorded = from === near ? up : down;
    if (from === near) clientPort = fromPort;
    last[from === near ? "up" : "down"] = bytes.slice(start, end);
    if (recorded.length < 400) recorded.push(bytes.slice(start, end));
    send(from, fromPort, to, toPort, bytes, start, end);
  };
  const connect = (sendBytes: number): { traffic: Traffic; socket: () => TcpSocket } => {
    let made: { traffic: Traffic; socket: () => TcpSocket } | undefined;
    of.connect((socket) => {
      made = { traffic: new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes }), socket };
      return made.traffic;
    });
    return made!;
  };
  const [busy, idle] = [connect(bulk), connect(100)];
  of.run(1);
  return {
    of,
    log,
    busy: busy.traffic,
    idle: idle.traffic,
    idleSocket: idle.socket,
    up,
    down,
    clientPort: () => clientPort,
    last,
    prng: new Prng(seed),
  };
}

/** What was under way is finished, unchanged; the idle connection still carries. */
function unharmed({ of, log, busy, idle, idleSocket }: Scene): void {
  const text = `seed ${seed}\n${log.lines.slice(-8).join("\n")}`;
  const got = of.server.counters().BytesReceived!;
  idleSocket().write(new Uint8Array(5000), 0, 5000);
  assert.ok(
    of.run(40, () => busy.sent === bulk && of.client.report(0).every(({ waitingSegments }) => waitingSegments === 0)),
    `not finished: ${text}`,
  );
  assert.ok(of.server.counters().BytesReceived! >= got);
  assert.deepEqual([busy.wrong, busy.received, busy.broken, busy.ended], [0, 3000, undefined, false], text);
  assert.deepEqual([idle.wrong, idle.received, idle.broken, idle.ended], [0, 3000, undefined, false], text);
  assert.equal(log.lines.filter((line) => line.startsWith("session ended") && !line.includes(stranger)).length, 0, text);
}

function pick<T>(prng: Prng, from: readonly T[]): T {
  return from[prng.below(from.length)]!;
}

const damages: Readonly<Record<string, (prng: Prng, recorded: readonly Uint8Array[]) => Uint8Array>> = {
  garbage: (prng) => {
    const bytes = new Uint8Array(prng.below(1500));
    prng.fill(bytes);
    return bytes;
  },
  truncation: (prng, recorded) => {
    const whole = pick(prng, recorded);
    return whole.slice(0, prng.below(whole.length));
  },
  "bit flips": (prng, recorded) => {
    const bytes = pick(prng, recorded).slice();
    for (let flips = 1 + prng.below(4); flips > 0; flips--) bytes[prng.below(bytes.length)]! ^= 1 << prng.below(8);
    return bytes;
  },
  replays: pick,
};

for (const crypt of ["aes", "none", "aes-128-gcm"]) {
  for (const [name, damage] of Object.entries(damages)) {
    test(`${name} under the peer's own address, both ways, ${crypt}`, () => {
      const at = scene(crypt);
      const { network } = at.of;
      const before = [at.of.server.counters(), at.of.client.counters()];
      for (let i = 0; i < 3000; i++) {
        network.inject(near, at.clientPort(), far, serverPort, damage(at.prng, at.up));
        network.inject(far, serverPort, near, at.clientPort(), damage(at.prng, at.down));
        at.of.run(0.001);
      }
      const dropped = [at.of.server.counters(), at.of.client.counters()].map(({ InErrs, InCsumErrors }, i) => {
        return InErrs! + InCsumErrors! - before[i]!.InErrs! - before[i]!.InCsumErrors!;
      });
      // The nonce has no check; a datagram flipped only there is a replay.
      if (name !== "replays") for (const count of dropped) assert.ok(count >= 2600, `${dropped} of 3000 were counted`);
      else assert.ok(at.of.server.counters().RepeatSegs! > 1000, `${at.of.server.counters().RepeatSegs} repeats`);
      unharmed(at);
    });
  }
}

test("replays from strangers fill no more than the sessions allowed, and are forgotten", () => {
  const at = scene("none", {}, 20);
  for (let i = 0; i < 3000; i++) {
    at.of.network.inject(stranger, 1 + at.prng.below(60_000), far, serverPort, pick(at.prng, at.up));
    if (i % 10 === 0) at.of.run(0.01);
  }
  assert.ok(at.of.server.report(0).length <= 20);
  assert.ok(at.of.server.refused > 1000);
  at.of.run(130);
  assert.equal(at.of.server.report(0).length, 1);
  assert.deepEqual([at.busy.wrong, at.busy.broken, at.idle.broken], [0, undefined, undefined]);
});

test("old packets that say una 0, replayed to an idle client for 10 s, end nothing", () => {
  const at = scene("none", { ratelimit: 0 });
  at.of.run(8);
  const early = at.down.slice(0, 3);
  for (let i = 0; i < 100; i++) {
    for (const packet of early) at.of.network.inject(far, serverPort, near, at.clientPort(), packet);
    at.of.run(0.1);
  }
  unharmed(at);
});

test("forged zero windows hold a session up for a moment, not for ever", () => {
  const at = scene("null", { datashard: 0, extensions: "false" });
  const forge = (newest: Uint8Array): Uint8Array => {
    const packet = newest.slice(0, 24);
    const view = new DataView(packet.buffer);
    const [conv, una] = [view.getUint32(0, true), view.getUint32(16, true)];
    writeHeader(view, 0, conv, WINS, 0, 0, 0, una, 0);
    return packet;
  };
  let believed = 0;
  for (let i = 0; i < 500; i++) {
    at.of.network.inject(far, serverPort, near, at.clientPort(), forge(at.last.down));
    at.of.network.inject(near, at.clientPort(), far, serverPort, forge(at.last.up));
    at.of.run(0.004);
    if (at.of.client.report(0)[0]!.remoteWindow === 0) believed++;
  }
  assert.ok(believed > 100, `believed ${believed} times`);
  unharmed(at);
});

test("a port scan: empty and tiny datagrams from 60,000 ports are counted, nothing else", () => {
  const at = scene("aes");
  const before = at.of.server.counters().InErrs!;
  for (let port = 1; port <= 60_000; port++) {
    at.of.network.inject(stranger, port, far, serverPort, new Uint8Array(port % 20));
    if (port % 50 === 0) at.of.run(0.001);
  }
  assert.ok(at.of.server.counters().InErrs! - before >= 59_000);
  assert.equal(at.of.server.report(0).length, 1);
  unharmed(at);
});

test("100,000 foreign datagrams a second for 2 s: all counted, a line a second, sessions go on", () => {
  const at = scene("aes");
  const foreign = Array.from({ length: 64 }, () => {
    const bytes = new Uint8Array(1200);
    at.prng.fill(bytes);
    return bytes;
  });
  const before = at.of.server.counters().InCsumErrors!;
  const sent = at.busy.sent;
  const bytesBefore = process.memoryUsage().arrayBuffers;
  for (let ms = 0; ms < 2000; ms++) {
    for (let i = 0; i < 100; i++) at.of.network.inject(stranger, 1 + at.prng.below(60_000), far, serverPort, foreign[i & 63]!);
    at.of.run(0.001);
  }
  assert.equal(at.of.server.counters().InCsumErrors! - before, 200_000);
  assert.ok(at.busy.sent > sent, "the transfer went on meanwhile");
  assert.equal(at.of.server.report(0).length, 1);
  assert.ok(at.log.count("do not decrypt") <= 3, `${at.log.count("do not decrypt")} lines`);
  assert.ok(process.memoryUsage().arrayBuffers - bytesBefore < 64 * 2 ** 20);
  unharmed(at);
});

/** Each alone may cost its author the session, never anybody else. */
const enemies: Readonly<Record<string, (client: RawClient) => void>> = {
  "FIN of streams that are not": (client) => [3, 5, 0, 0xffffffff, 2].forEach((sid) => void client.frame(2, CMD_FIN, sid)),
  "FIN again and again": (client) => [0, 1, 1, 1].forEach((command) => void client.frame(2, command, 3)),
  "UPD that consumed more than was sent": (client) => {
    client.frame(2, CMD_SYN, 3);
    client.frame(2, CMD_UPD, 3, Uint8Array.of(0xff, 0xff, 0xff, 0x0f, 0, 0, 1, 0));
  },
  "UPD of a stream that is not, and one too short": (client) => {
    client.frame(2, CMD_UPD, 9, Uint8Array.of(1, 0, 0, 0, 0, 0, 1, 0));
    client.frame(2, CMD_UPD, 9, Uint8Array.of(1, 0, 0));
  },
  "a window of 0, for ever": (client) => {
    client.frame(2, CMD_SYN, 3);
    client.frame(2, CMD_UPD, 3, new Uint8Array(8));
  },
  "SYN of the server's own side, and twice": (client) => [2, 3, 3, 4].forEach((sid) => void client.frame(2, CMD_SYN, sid)),
  "5000 SYN": (client) => {
    for (let i = 0; i < 5000; i++) client.frame(2, CMD_SYN, 3 + 2 * i);
  },
  "a command that is not": (client) => client.frame(2, 9, 3),
  "a version that is not": (client) => client.frame(7, CMD_SYN, 3),
  "NOP with a length": (client) => client.frame(2, CMD_NOP, 0, new Uint8Array(5)),
  "data for nobody": (client) => client.frame(2, CMD_PSH, 77, new Uint8Array(60_000)),
  "a frame that never ends": (client) => client.frame(2, CMD_PSH, 3, new Uint8Array(100), 65_535),
  "not smux at all": (client) => client.say(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")),
  "snappy that is none": (client) => client.say(Uint8Array.of(0xff, 6, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)),
  "noise behind a good beginning": (client) => {
    const noise = new Uint8Array(20_000);
    new Prng(seed).fill(noise);
    client.frame(2, CMD_SYN, 3);
    client.say(noise);
  },
};

test("an enemy with the key harms only its own session", () => {
  const at = scene("none");
  const { network } = at.of;
  network.join(stranger, far, "delay=5", 9);
  const config = clientConfig.parse({ key: "it's a secrect", crypt: "none" }) as ClientConfig;
  const cipher = createCipher("none", primitives.deriveKey(config.key), primitives);
  Object.entries(enemies).forEach(([name, attack], i) => {
    const client = new RawClient(network.host(stranger), { host: far, port: serverPort }, config, cipher, 1000 + i);
    attack(client);
    at.of.run(0.3);
    assert.ok(at.busy.broken === undefined && at.idle.broken === undefined, name);
  });
  const wrong = at.log.lines.filter((line) => line.startsWith("session ended"));
  assert.ok(wrong.length >= 5 && wrong.every((line) => line.includes(stranger)), wrong.join("\n"));
  const { smux } = at.of.server.observe(0, { sessionsMax: 0, streamsMax: 0 } as never).totals.counted;
  assert.ok(smux!.unknownSid! >= 5, `${smux!.unknownSid} frames of unknown streams`);
  unharmed(at);
});
