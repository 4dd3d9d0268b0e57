import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "../src/base/units.ts";
import { type Carrier, type Link, udpCarrier } from "../src/host/link.ts";
import type { Loop, TcpSocket } from "../src/host/loop.ts";
import { auto } from "./auto/case.ts";
import { LogLines, TunnelWorld } from "./tunnel-world.ts";
import type { VirtualLoop } from "./virtual-loop.ts";

const SECOND = "10.0.0.3";
const buffer = new Uint8Array(65_536);

/** A client with two ways, by two links, to one server; every 10 ms it sends 2 kB or what is said, and the longest time without any of it is watched. */
class TwoWays {
  readonly lines = new LogLines();
  readonly world: TunnelWorld;
  readonly second: ReturnType<TunnelWorld["network"]["join"]>;
  sent = 0;
  received = 0;
  wrong = 0;
  gap: Millis = 0;
  #last: Millis = 0;
  readonly #wrap: (carrier: Carrier) => Carrier;
  readonly #pieceBytes: number;
  /** With the first one. */
  readonly #burstBytes: number;

  constructor(
    first: string,
    second: string,
    { pieceBytes = 2048, wrap = (carrier: Carrier) => carrier, windows = {}, burstBytes = 0 } = {},
  ) {
    this.#wrap = wrap;
    this.#pieceBytes = pieceBytes;
    this.#burstBytes = burstBytes;
    const carriers = (loop: Loop) => [{ carrier: udpCarrier(loop) }, { carrier: this.#other(loop), at: { host: SECOND, port: 3000 } }];
    const options = { mode: "auto", nocomp: "true", ...windows };
    this.world = new TunnelWorld(
      { link: first, seed: 1, log: this.lines, carriers, client: { ...options, path: [`${SECOND}:3000`] }, server: options },
      (socket) => ({ connected: () => {}, writable: () => {}, closed: () => {}, readable: (now) => this.#read(now, socket) }),
    );
    this.second = this.world.network.join("10.0.0.1", SECOND, second, 7);
  }

  /** At the server, another address of the same machine. */
  #other(loop: Loop): Carrier {
    const at = (loop as VirtualLoop).address === "10.0.0.2" ? (loop as VirtualLoop).network.host(SECOND) : loop;
    return this.#wrap(udpCarrier(at));
  }

  #read(now: Millis, socket: TcpSocket): void {
    for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) {
      for (let i = 0; i < n; i++) if (buffer[i] !== ((this.received + i) & 255)) this.wrong++;
      this.received += n;
      if (this.#last > 0) this.gap = Math.max(this.gap, now - this.#last);
      this.#last = now;
    }
  }

  run(seconds: number): void {
    const { network } = this.world;
    let socket: (() => TcpSocket) | undefined;
    network.at(500, () =>
      this.world.connect((of) => {
        socket = of;
        return { connected: () => {}, writable: () => {}, readable: () => {}, closed: () => {} };
      }),
    );
    for (let at = 1000; at < seconds * 1000 - 1000; at += 10) {
      const piece = new Uint8Array(this.#pieceBytes + (at === 1000 ? this.#burstBytes : 0));
      network.at(at, () => {
        for (let i = 0; i < piece.length; i++) piece[i] = (this.sent + i) & 255;
        this.sent += socket!().write(piece, 0, piece.length);
      });
    }
    this.world.run(seconds);
  }
}

const link = "delay=20 rate=20mbit qbytes=256k";

test("a way dies under a connection: it goes on over the other within 150 ms, nothing is lost, and comes back when the first works again", () => {
  const two = new TwoWays(link, link);
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
