import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "../src/base/units.ts";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { messageType } from "../src/media/rtmp/message.ts";
import { RtmpPublisher } from "../src/media/rtmp/publisher.ts";
import { RtmpServer } from "../src/media/rtmp/server.ts";
import { LogLines, TunnelWorld } from "./tunnel-world.ts";

const GOP = 60;
const FRAME_MS = 1000 / 30;
const SOUND_MS = 1024 / 44.1;
const chunk = new Uint8Array(65_536);

interface Arrived {
  readonly kind: "video" | "audio";
  readonly index: number;
  /** After it was made. */
  readonly delay: Millis;
}

/** An encoder → rtmp: forward → link → server → an RTMP server. */
class Broadcast {
  readonly lines = new LogLines();
  readonly world: TunnelWorld;
  readonly arrived: Arrived[] = [];
  /** What came for the encoder, as text. */
  said = "";
  made = { video: 0, audio: 0 };
  failure = "";
  readonly #publisher = new RtmpPublisher({ random: new Uint8Array(1528), app: "app", key: "key", tcUrl: "rtmp://here/app" });
  readonly #server = new RtmpServer({ random: new Uint8Array(1528) });
  #socket: TcpSocket | undefined;
  #unsent = new Uint8Array();

  constructor(link: string, maxdelay: number) {
    const options = { mode: "auto", nocomp: "true" };
    this.world = new TunnelWorld(
      { link, seed: 3, log: this.lines, client: { ...options, forward: ["rtmp:10.0.0.1:1935"], maxdelay }, server: options },
      (socket) => this.#target(socket),
    );
    const { network } = this.world;
    network.at(1000, () => {
      const host = network.host("10.0.0.1");
      const handler: TcpHandler = {
        connected: () => this.#speak(),
        writable: () => this.#speak(),
        readable: (now) => {
          for (let n = this.#socket!.read(chunk, 0, chunk.length); n > 0; n = this.#socket!.read(chunk, 0, chunk.length)) {
            this.said += Buffer.from(chunk.subarray(0, n)).toString("latin1");
            this.#publisher.receive(now, chunk, 0, n);
          }
          this.#speak();
        },
        closed: (_now, code) => (this.failure = code),
      };
      this.#socket = host.connect({ host: "10.0.0.1", port: 1935 }, handler);
    });
  }

  /** For so long the encoder makes so many bits a second of video, and 128 kbit/s of sound. */
  encode(from: Millis, until: Millis, bitrate: number): void {
    const { network } = this.world;
    // A key frame is ten times as large as the others.
    const bytes = (bitrate / 8 / 30) * (GOP / (GOP + 9));
    for (let at = from; at < until; at += FRAME_MS)
      network.at(at, () => {
        const index = this.made.video++;
        const key = index % GOP === 0;
        this.#send(messageType.video, at, index, Math.round(key ? bytes * 10 : bytes), Uint8Array.of(key ? 0x17 : 0x27, 1));
      });
    for (let at = from; at < until; at += SOUND_MS)
      network.at(at, () => this.#send(messageType.audio, at, this.made.audio++, 371, Uint8Array.of(0xaf, 1)));
  }

  cut(from: Millis, until: Millis): void {
    const { network, links } = this.world;
    const set = (down: number): void => {
      links.ab.set(`down=${down}`);
      links.ba.set(`down=${down}`);
    };
    network.at(from, () => set(1));
    network.at(until, () => set(0));
  }

  video(): number[] {
    return this.arrived.flatMap(({ kind, index }) => (kind === "video" ? [index] : []));
  }

  audio(): number[] {
    return this.arrived.flatMap(({ kind, index }) => (kind === "audio" ? [index] : []));
  }

  /** Predicted frames that came although one before them in their group had not. */
  undecodable(): number {
    let wrong = 0;
    const all = this.video();
    all.forEach((index, i) => {
      if (index % GOP !== 0 && all[i - 1] !== index - 1) wrong++;
    });
    return wrong;
  }

  #send(type: number, at: Millis, index: number, length: number, head: Uint8Array): void {
    const payload = new Uint8Array(Math.max(length, 16));
    payload.set(head);
    new DataView(payload.buffer).setUint32(2, index);
    assert.ok(this.#publisher.send(type, Math.round(at), payload), `${this.#publisher.state}: frame ${index} was not taken`);
    this.#speak();
  }

  #speak(): void {
    for (;;) {
      if (this.#unsent.length === 0) this.#unsent = chunk.slice(0, this.#publisher.transmit(chunk, 0, chunk.length));
      if (this.#unsent.length === 0) return;
      const n = this.#socket!.write(this.#unsent, 0, this.#unsent.length);
      this.#unsent = this.#unsent.subarray(n);
      if (n === 0) return;
    }
  }

  #target(socket: TcpSocket): TcpHandler {
    const server = this.#server;
    const answer = (): void => {
      for (let n = server.transmit(chunk, 0, 100); n > 0; n = server.transmit(chunk, 0, 100)) socket.write(chunk, 0, n);
    };
    return {
      connected: () => {},
      writable: () => {},
      closed: () => {},
      readable: (now) => {
        for (let n = socket.read(chunk, 0, chunk.length); n > 0; n = socket.read(chunk, 0, chunk.length)) {
          server.receive(now, chunk, 0, n);
          for (let event = server.event(); event !== undefined; event = server.event()) {
            if (event.kind === "publish") server.accept(now);
            else if (event.kind === "failed") this.failure = event.error.message;
            else if (event.kind === "media") this.#take(now, event.message);
          }
        }
        answer();
      },
    };
  }

  #take(now: Millis, { type, timestamp, payload }: { type: number; timestamp: number; payload: Uint8Array }): void {
    const index = new DataView(payload.buffer, payload.byteOffset).getUint32(2);
    this.arrived.push({ kind: type === messageType.video ? "video" : "audio", index, delay: now - timestamp });
  }
}

const inOrder = (indexes: readonly number[]): boolean => indexes.every((index, i) => i === 0 || index > indexes[i - 1]!);

test("what fits passes whole", () => {
  const broadcast = new Broadcast("delay=50 rate=8mbit qbytes=200k", 1000);
  broadcast.encode(2000, 12_000, 3e6);
  broadcast.world.run(14);
  assert.equal(broadcast.failure, "");
  assert.equal(broadcast.video().length, broadcast.made.video);
  assert.equal(broadcast.audio().length, broadcast.made.audio);
  assert.ok(!broadcast.said.includes("BW"));
});

test("a link of a third of the rate: the delay stays bounded, sound is whole, each picture can be decoded, the encoder is told what would fit", () => {
  const broadcast = new Broadcast("delay=50 rate=2mbit qbytes=100k", 1000);
  broadcast.encode(2000, 32_000, 6e6);
  broadcast.world.run(36);
  assert.equal(broadcast.failure, "");
  // A key frame of 217 kB takes 0.9 s by itself, and what was begun is ended.
  const worst = Math.max(...broadcast.arrived.map(({ delay }) => delay));
  assert.ok(worst < 3200, `${worst} ms`);
  assert.deepEqual(
    broadcast.audio(),
    Array.from({ length: broadcast.made.audio }, (_, i) => i),
  );
  assert.ok(inOrder(broadcast.video()));
  assert.equal(broadcast.undecodable(), 0);
  const keys = broadcast.video().filter((index) => index % GOP === 0).length;
  assert.ok(keys >= 0.6 * (broadcast.made.video / GOP), `${keys} of ${broadcast.made.video / GOP} key frames`);
  const notices = [...broadcast.said.matchAll(/NetStream\.Publish\.InsufficientBW/g)].length;
  assert.ok(notices >= 4 && notices <= 7, `${notices} notices`);
  const fits = Number(/at (\d+) kbit\/s/.exec(broadcast.said.slice(broadcast.said.lastIndexOf("were left out")))?.[1]);
  assert.ok(fits > 1000 && fits < 2000, `${fits} kbit/s`);
  assert.equal(broadcast.lines.count("frames were left out"), notices);
});

test("an encoder that goes down to what fits is told when all is well", () => {
  const broadcast = new Broadcast("delay=50 rate=3mbit qbytes=100k", 1500);
  broadcast.encode(2000, 12_000, 6e6);
  broadcast.encode(12_000, 32_000, 1.5e6);
  broadcast.world.run(34);
  assert.ok(broadcast.said.includes("NetStream.Publish.SufficientBW"));
  const last = broadcast.video().filter((index) => index >= 480);
  assert.equal(last.length, broadcast.made.video - 480);
});

test("maxdelay: after an outage of a second nothing is left out, or what has waited for longer", () => {
  for (const [maxdelay, whole] of [
    [3000, true],
    [400, false],
  ] as const) {
    const broadcast = new Broadcast("delay=50 rate=8mbit qbytes=200k", maxdelay);
    broadcast.cut(4000, 5000);
    broadcast.encode(2000, 8000, 2e6);
    broadcast.world.run(12);
    assert.equal(broadcast.video().length === broadcast.made.video, whole, `${maxdelay}`);
    assert.equal(broadcast.undecodable(), 0);
  }
});

test("an outage of 4 s: what was made meanwhile is left out, and what follows is fresh", () => {
  const broadcast = new Broadcast("delay=50 rate=8mbit qbytes=200k", 1000);
  broadcast.cut(6000, 10_000);
  broadcast.encode(2000, 20_000, 3e6);
  broadcast.world.run(24);
  assert.equal(broadcast.undecodable(), 0);
  const late = broadcast.arrived.filter(({ index, kind }) => kind === "video" && index > (12_000 - 2000) / FRAME_MS);
  assert.ok(Math.max(...late.map(({ delay }) => delay)) < 500, `${Math.max(...late.map(({ delay }) => delay))} ms`);
  assert.ok(late.length > 200);
});

test("what does not speak RTMP passes as it is", () => {
  const broadcast = new Broadcast("delay=10", 1000);
  const { network } = broadcast.world;
  let back = "";
  network.at(500, () => {
    const host = network.host("10.0.0.1");
    let socket: TcpSocket | undefined;
    socket = host.connect(
      { host: "10.0.0.1", port: 1935 },
      {
        connected: () => void socket!.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"), 0, 18),
        readable: () => {
          const n = socket!.read(chunk, 0, chunk.length);
          if (n > 0) back += Buffer.from(chunk.subarray(0, n)).toString();
        },
        writable: () => {},
        closed: (_now, code) => (back = code),
      },
    );
  });
  broadcast.world.run(3);
  // The RTMP server does not understand it either: nothing comes back, and nobody crashes.
  assert.equal(back, "");
});
