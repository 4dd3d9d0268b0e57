/** One end of a raw carrier, an echo of datagrams or a sender of them, as a process of its own: for raw.ts, inside a namespace. */
import { createSocket } from "node:dgram";
import { RawClientCarrier } from "../../src/carrier/raw-client.ts";
import { RawServerCarrier } from "../../src/carrier/raw-server.ts";
import type { CarrierSettings } from "../../src/carrier/settings.ts";
import { deriveKeys } from "../../src/faketcp/keys.ts";
import type { RawOptions } from "../../src/faketcp/options.ts";
import { crc32, faketcpPrimitives, randomFill } from "../../src/host/faketcp-crypto.ts";
import { createLog } from "../../src/host/log.ts";
import { EpollLoop } from "../../src/host/loop-epoll.ts";

export interface EndSettings {
  readonly password: string;
  readonly raw: Pick<RawOptions, "mode" | "seqMode" | "cipherMode" | "authMode" | "fixGro">;
  readonly local: CarrierSettings["local"];
  readonly remote: CarrierSettings["remote"];
  /** The client's, where it is to be the same each time. */
  readonly sourcePort?: number;
}

const UNDER_WAY_MAX = 32;
const [role, text] = process.argv.slice(2);
if (role === "echo") echo(Number(text));
else if (role === "send") await send(JSON.parse(text!));
else if (role === "talk") talk(JSON.parse(text!));
else end(JSON.parse(text!));

function end({ password, raw, ...ends }: EndSettings): void {
  const loop = new EpollLoop();
  const log = createLog("debug");
  const keys = deriveKeys(password, faketcpPrimitives, raw.cipherMode);
  const options: RawOptions = { ...raw, keys, primitives: faketcpPrimitives, crc32, random: randomFill };
  const settings: CarrierSettings = { raw: options, ...ends };
  const carrier = role === "client" ? new RawClientCarrier(loop, settings, log) : new RawServerCarrier(loop, settings, log);
  loop.attach();
  console.log("listening");
  setInterval(() => console.log(JSON.stringify({ ...carrier.counters, ...carrier.core.stats })), 1000).unref();
}

function echo(port: number): void {
  const socket = createSocket({ type: "udp6" });
  const ports = new Set<number>();
  socket.on("message", (message, { port: to, address }) => {
    if (!ports.has(to)) console.log(`from ${ports.add(to).size}`);
    socket.send(message, to, address);
  });
  socket.bind(port, () => console.log("listening"));
}

/** Sends a numbered datagram from one socket every `everyMs` for ever, and prints a line for each that comes back for the first time, with what it took. */
function talk({ to, everyMs, bytes }: { to: number; everyMs: number; bytes: number }): void {
  const socket = createSocket("udp4");
  const sentAt: number[] = [];
  socket.on("message", (message) => {
    const number = message.readUInt32BE(0);
    const at = sentAt[number];
    if (at === undefined) return;
    delete sentAt[number];
    console.log(JSON.stringify({ number, ms: Math.round(performance.now() - at) }));
  });
  setInterval(() => {
    const message = Buffer.alloc(bytes);
    message.writeUInt32BE(sentAt.length);
    sentAt.push(performance.now());
    socket.send(message, to, "127.0.0.1");
  }, everyMs);
}

/** Sends datagrams of 1 to `longest` bytes, a few under way at a time, and prints how many came back as they were. */
async function send({ to, count, longest, patienceMs }: { to: number; count: number; longest: number; patienceMs: number }): Promise<void> {
  const socket = createSocket("udp4");
  const content = (i: number): Buffer => Buffer.alloc(1 + ((i * 97) % longest), i).fill(i >> 8, 0, 1);
  const back = new Set<number>();
  const wanted = new Map(Array.from({ length: count }, (_, i) => [content(i).toString("latin1"), i]));
  socket.on("message", (message) => {
    const i = wanted.get(message.toString("latin1"));
    if (i !== undefined) back.add(i);
  });
  // The carrier may still be connecting.
  const until = Date.now() + patienceMs;
  while (!back.has(0) && Date.now() < until) {
    socket.send(content(0), to, "127.0.0.1");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  for (let i = 1; i < count; i++) {
    socket.send(content(i), to, "127.0.0.1");
    // A busy machine is not to be mistaken for a lossy link: what is under way is bounded.
    for (let patience = 200; back.size < i - UNDER_WAY_MAX && patience > 0; patience--)
      await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (let left = 30; left > 0 && back.size < wanted.size; left--) await new Promise((resolve) => setTimeout(resolve, 100));
  console.log(JSON.stringify({ sent: wanted.size, back: back.size }));
  socket.close();
}
