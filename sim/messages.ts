/** Messages through a pair of KCP cores over a bad link: each is numbered, stamped and of its own length, and is checked byte by byte. */
import { assert } from "../src/base/assert.ts";
import { Prng } from "../src/base/prng.ts";
import type { Bytes, Millis } from "../src/base/units.ts";
import { EmulatedLink, type LinkCounters } from "../src/emulator/link.ts";
import { parseLink } from "../src/emulator/parse.ts";
import { Kcp } from "../src/kcp/kcp.ts";
import type { KcpOptions } from "../src/kcp/options.ts";
import { Joint } from "./joint.ts";
import { World } from "./world.ts";

export interface MessagesOptions {
  /** Netlab text, for each direction. */
  readonly link: string;
  readonly kcp: Partial<KcpOptions>;
  readonly messages: number;
  /** Time between two messages; 0 = as fast as the window takes them. */
  readonly period: Millis;
  /** Longest message. */
  readonly bytesMax: Bytes;
  /** Virtual time by which all must have arrived. */
  readonly within: Millis;
  /** Changes of both links at a time. */
  readonly changes?: readonly { readonly at: Millis; readonly link: string }[];
}

export interface MessagesResult {
  /** Delay of each message from its `send` to its last byte, in order of sending. */
  readonly delays: Float64Array;
  readonly finishedAt: Millis;
  readonly payloadBytes: Bytes;
  /** KCP bytes that A sent for one byte of payload. */
  readonly cost: number;
  readonly sender: Kcp;
  readonly receiver: Kcp;
  readonly links: readonly [LinkCounters, LinkCounters];
}

/** number u32 · length u16 · sent f64, then bytes that follow from the number. */
const HEAD_BYTES = 14;

/** Modes as kcptun's users know them (reference kcptun.md section 5). */
export const modes = {
  normal: { nodelay: 0, interval: 40, resend: 2, nc: 1 },
  fast: { nodelay: 0, interval: 30, resend: 2, nc: 1 },
  fast2: { nodelay: 1, interval: 20, resend: 2, nc: 1 },
  fast3: { nodelay: 1, interval: 10, resend: 2, nc: 1 },
} as const satisfies Record<string, Partial<KcpOptions>>;

export function exchangeMessages(options: MessagesOptions, seed: number): MessagesResult {
  const kcp: KcpOptions = { conv: 1, mtu: 1350, sndWnd: 1024, rcvWnd: 1024, profile: "2026", ...modes.fast3, ...options.kcp };
  const [sender, receiver] = [new Kcp(kcp), new Kcp(kcp)];
  const parameters = parseLink(options.link);
  const [ab, ba] = [new EmulatedLink(parameters, seed), new EmulatedLink(parameters, seed + 1)];
  const world = new World();
  world.add(new Joint(sender, receiver, ab, ba));
  for (const { at, link } of options.changes ?? []) {
    world.at(at, () => {
      ab.set(link);
      ba.set(link);
    });
  }
  const source = new Source(options, seed);
  const sink = new Sink(options.messages);
  if (options.period > 0) world.every(options.period, options.period, () => source.write(world.now, sender, 1));
  const done = world.run(options.within, () => {
    if (options.period === 0) source.write(world.now, sender, Number.POSITIVE_INFINITY);
    sink.read(world.now, receiver);
    return sink.received === options.messages;
  });
  assert(done, `${sink.received} of ${options.messages} messages had arrived after ${options.within / 1000} s`);
  return {
    delays: sink.delays,
    finishedAt: world.now,
    payloadBytes: sink.bytes,
    cost: sender.stats.outBytes / sink.bytes,
    sender,
    receiver,
    links: [ab.counters, ba.counters],
  };
}

class Source {
  readonly #options: MessagesOptions;
  readonly #prng: Prng;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #next = 0;

  constructor(options: MessagesOptions, seed: number) {
    this.#options = options;
    this.#prng = new Prng(seed ^ 0x7e57);
    this.#bytes = new Uint8Array(options.bytesMax);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Sends up to `most` messages while the window takes them; answers whether any are left. */
  write(now: Millis, to: Kcp, most: number): boolean {
    const { messages, bytesMax } = this.#options;
    for (let i = 0; i < most && this.#next < messages && to.writable; i++) {
      const length = HEAD_BYTES + this.#prng.below(bytesMax - HEAD_BYTES + 1);
      this.#view.setUint32(0, this.#next);
      this.#view.setUint16(4, length);
      this.#view.setFloat64(6, now);
      for (let at = HEAD_BYTES; at < length; at++) this.#bytes[at] = this.#next * 31 + at;
      to.send(now, this.#bytes, 0, length);
      this.#next++;
    }
    return this.#next < messages;
  }
}

class Sink {
  readonly delays: Float64Array;
  received = 0;
  bytes = 0;
  readonly #buffer = new Uint8Array(65_536);
  readonly #view = new DataView(this.#buffer.buffer);
  #filled = 0;

  constructor(messages: number) {
    this.delays = new Float64Array(messages);
  }

  read(now: Millis, from: Kcp): void {
    while (from.readable > 0) {
      this.#filled += from.read(now, this.#buffer, this.#filled, this.#buffer.length);
      let at = 0;
      while (this.#filled - at >= HEAD_BYTES && this.#filled - at >= this.#view.getUint16(at + 4)) at += this.#check(now, at);
      this.#buffer.copyWithin(0, at, this.#filled);
      this.#filled -= at;
    }
  }

  #check(now: Millis, start: number): Bytes {
    const number = this.#view.getUint32(start);
    const length = this.#view.getUint16(start + 4);
    assert(number === this.received, `message ${number} came where ${this.received} was due`);
    for (let at = HEAD_BYTES; at < length; at++) {
      assert(this.#buffer[start + at] === ((number * 31 + at) & 255), `byte ${at} of message ${number} is wrong`);
    }
    this.delays[number] = now - this.#view.getFloat64(start + 6);
    this.received++;
    this.bytes += length;
    return length;
  }
}

/** The delay that a share `q` of all does not pass. */
export function quantile(delays: Float64Array, q: number): Millis {
  return delays.toSorted()[Math.min(delays.length - 1, Math.floor(q * delays.length))]!;
}
