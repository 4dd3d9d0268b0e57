/**
 * The front before srt-live-transmit: who is let through to it, what is passed on, and what the origin makes of it. The program is played by the test; test/interop/ingest.ts
 * has the real one.
 */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLog } from "../host/log.ts";
import { NodeLoop } from "../host/loop-node.ts";
import type { SrtListenerHandler, SrtListenerOptions } from "../host/srt-program.ts";
import { Handshake, induction } from "../media/srt/handshake.ts";
import { TransportStreamWriter } from "../media/ts/testing/transport-stream.ts";
import { liveConfig } from "./config.ts";
import { Origin } from "./origin.ts";
import { SrtFront, type SrtFrontOptions } from "./srt-front.ts";
import { demoUnits } from "./testing/demo-units.ts";

const KEY = "a-stream-key";
const PASSPHRASE = "a-passphrase";

class Program {
  readonly started: { readonly options: SrtListenerOptions; readonly handler: SrtListenerHandler }[] = [];
  readonly got: Buffer[] = [];
  closed = 0;
  #socket: Socket | undefined;
  #caller: { port: number; address: string } | undefined;

  readonly start: SrtFrontOptions["start"] = (options, handler) => {
    this.started.push({ options, handler });
    const socket = createSocket("udp4");
    this.#socket = socket;
    socket.on("message", (bytes, from) => {
      this.#caller = from;
      const handshake = new Handshake();
      if (handshake.read(bytes, 0, bytes.length) && handshake.kind === "induction") {
        bytes.writeUInt32BE(0x0c00_0c1e, 44);
        socket.send(bytes, from.port, from.address);
      } else this.got.push(bytes);
    });
    socket.bind(0, "127.0.0.1", () => handler.starting(socket.address().port));
    return { close: () => this.close() };
  };

  answer(bytes: Uint8Array): void {
    this.#socket!.send(bytes, this.#caller!.port, this.#caller!.address);
  }

  close(): void {
    this.closed++;
    this.#socket?.close();
    this.#socket = undefined;
  }
}

async function started(t: TestContext, options: Partial<SrtFrontOptions> = {}) {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels: { show: KEY } }), loop, silentLog);
  const program = new Program();
  const front = new SrtFront(origin, loop, {
    ...{ host: "127.0.0.1", port: 0, latency: 120, sessionsMax: 2, setup: 5000 },
    encryption: () => ({ passphrase: PASSPHRASE, needed: true }),
    cookie: (address, minute) => ((address.length * 1000 + minute) * 7919) >>> 0,
    start: program.start,
    ...options,
  });
  origin.srt = front;
  const socket = createSocket("udp4");
  socket.connect(front.port, "127.0.0.1");
  await once(socket, "connect");
  t.after(() => {
    socket.close();
    origin.close();
    loop.stop();
  });
  const ask = async (bytes: Uint8Array): Promise<Handshake> => {
    socket.send(bytes);
    return answered(socket);
  };
  return { origin, program, front, socket, ask };
}

async function answered(socket: Socket): Promise<Handshake> {
  const [bytes] = (await once(socket, "message", { signal: AbortSignal.timeout(5000) })) as [Buffer];
  const handshake = new Handshake();
  assert.ok(handshake.read(bytes, 0, bytes.length));
  return handshake;
}

const hello = { from: 4711, sequence: 9, mtu: 1500, window: 8192 };

/** A caller's second datagram. `encrypted`: with key material, whatever it is worth. */
function conclusion(cookie: number, streamId: string, encrypted = true): Uint8Array {
  const head = Buffer.from(induction(hello));
  head.writeUInt32BE(5, 16);
  head.writeInt32BE(-1, 36);
  head.writeUInt32BE(cookie, 44);
  const words = Math.ceil(streamId.length / 4);
  const text = Buffer.alloc(words * 4);
  text.write(streamId);
  text.swap32();
  return Buffer.concat([head, Buffer.of(0, 5, 0, words), text, encrypted ? Buffer.of(0, 3, 0, 1, 0, 0, 0, 0) : Buffer.alloc(0)]);
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !what(); await new Promise((done) => setTimeout(done, 2))) assert.ok(Date.now() < end, "in time");
}

test("a program is started for who shows a key from where it says it is, and for nobody else", async (t) => {
  const { origin, program, front, ask, socket } = await started(t);
  const { cookie, kind } = await ask(induction(hello));
  assert.equal(kind, "induction");
  assert.equal((await ask(conclusion(cookie, "another-key"))).reason, 1401);
  assert.equal((await ask(conclusion(cookie, `#!::r=${KEY},m=request`))).reason, 1405);
  assert.equal((await ask(conclusion(cookie, KEY, false))).reason, 1401, "not encrypted");
  socket.send(conclusion(cookie ^ 1, KEY));
  socket.send(Buffer.alloc(40));
  await until(() => front.counters.stray + front.counters.damaged === 2);
  assert.equal(program.started.length, 0);
  assert.deepEqual(origin.ingest.refused, { key: 1, mode: 1, passphrase: 1 });
});

test("what the program gets of the encoder is on the air from the program's conclusion on, until it ends", async (t) => {
  const { origin, program, front, ask, socket } = await started(t);
  const channel = origin.channels.get("show")!;
  const { cookie } = await ask(induction(hello));
  const greeting = conclusion(cookie, KEY);
  socket.send(greeting);
  await until(() => program.got.length > 0);
  assert.deepEqual(program.started[0]!.options, { latency: 120, passphrase: PASSPHRASE, callWithin: 5000 });
  const passed = Buffer.from(greeting);
  passed.writeUInt32BE(0x0c00_0c1e, 44);
  assert.deepEqual(program.got[0], passed, "the encoder's own words, with the program's cookie");
  assert.equal(channel.live, false, "nobody has proven a passphrase yet");
  program.answer(passed);
  assert.equal((await answered(socket)).kind, "conclusion");
  assert.equal(channel.live, true);
  assert.equal(origin.publisher("show")!.protocol, "srt");
  socket.send(Buffer.alloc(100, 1));
  await until(() => program.got.length > 1);
  assert.deepEqual(program.got[1], Buffer.alloc(100, 1));

  const { tracks, units } = demoUnits(readFileSync(join(import.meta.dirname, "../../assets/demo.flv")));
  const writer = new TransportStreamWriter(tracks);
  for (const unit of units) writer.unit(unit);
  program.started[0]!.handler.received(writer.finish());
  assert.deepEqual(
    channel.tracks.map(({ codec }) => codec),
    tracks.map(({ codec }) => codec),
  );
  assert.ok(channel.counters.units > units.length - 3, `${channel.counters.units} of ${units.length}`);
  assert.ok(channel.window.listed.length > 1);

  program.started[0]!.handler.ended("");
  assert.equal(channel.live, false);
  assert.equal(channel.counters.units, units.length, "the last picture, too");
  assert.equal(front.sessions, 0);
  assert.equal(origin.publisher("show"), undefined);
});

test("the wrong passphrase leaves the channel to who has it, and the encoder is told", async (t) => {
  const { origin, program, front, ask, socket } = await started(t);
  const { cookie } = await ask(induction(hello));
  socket.send(conclusion(cookie, KEY));
  await until(() => program.got.length > 0);
  const refusal = Buffer.from(induction(hello));
  refusal.writeInt32BE(1011, 36);
  program.answer(refusal);
  assert.equal((await answered(socket)).kind, "refusal");
  assert.equal(origin.ingest.refused.passphrase, 1);
  assert.deepEqual([program.closed, front.sessions, origin.channels.get("show")!.live], [1, 0, false]);
});

test("an encoder that begins again from its port, one too many, and a program that cannot run", async (t) => {
  const { origin, program, front, ask, socket } = await started(t, { sessionsMax: 1 });
  const { cookie } = await ask(induction(hello));
  socket.send(conclusion(cookie, KEY));
  await until(() => program.started.length === 1);
  const again = Buffer.from(conclusion(cookie, KEY));
  again.writeUInt32BE(815, 40);
  socket.send(again);
  await until(() => program.started.length === 2);
  assert.deepEqual([program.closed, front.sessions], [1, 1]);
  const other = createSocket("udp4");
  t.after(() => other.close());
  other.connect(front.port, "127.0.0.1");
  await once(other, "connect");
  other.send(induction(hello));
  other.send(conclusion((await answered(other)).cookie, KEY));
  assert.equal((await answered(other)).reason, 1402);
  program.started[1]!.handler.ended("cannot run");
  assert.equal((await answered(socket)).reason, 1503);
  assert.deepEqual(origin.ingest.refused, { connections: 1, program: 1 });
});
