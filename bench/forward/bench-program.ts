/** The load of benches: bpf/bench.bpf.c, whose runs each make the packet of another flow. */
import type { Bpf } from "../../src/host/bpf/bpf.ts";
import { BpfObject } from "../../src/host/bpf/bpf-object.ts";
import type { BpfProgram } from "../../src/host/bpf/bpf-program.ts";
import { readObject } from "../../src/host/bpf/bpffs.ts";

export class BenchProgram {
  readonly empty: BpfProgram;
  readonly rotate: BpfProgram;
  readonly touch: BpfProgram;
  readonly hashed: BpfProgram;
  readonly rewind: BpfProgram;
  readonly grow: BpfProgram;
  readonly leave: BpfProgram;
  readonly send: BpfProgram;
  /** What a sink does with what comes. */
  readonly sinks: Readonly<Record<"drop" | "count" | "echo", BpfProgram>>;
  readonly #object: BpfObject;
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;

  /** `lines`: of the table that `touch` reads; `entries` of the one of `hashed`. */
  constructor(bpf: Bpf, lines = 1, entries = 1) {
    this.#object = new BpfObject(bpf, readObject("bench"), { entries: { lines, table: entries } });
    const load = (name: string): BpfProgram => this.#object.load(`xdp/${name}`);
    [this.empty, this.rotate, this.touch, this.leave, this.send] = [
      load("empty"),
      load("rotate"),
      load("touch"),
      load("leave"),
      load("send"),
    ];
    [this.hashed, this.rewind, this.grow] = [load("hashed"), load("rewind"), load("grow")];
    this.sinks = { drop: load("drop"), count: load("count"), echo: load("echo") };
    const { buffer } = this.#object.map("bss").memory();
    this.#words = new Uint32Array(buffer, 0, WORD.count);
    this.#longs = new BigUint64Array(buffer, 0, WORD.count / 2);
    this.#longs[LONG.state] = 88_172_645_463_325_252n;
    this.#words[WORD.lines] = lines;
  }

  /** Which flows: at random out of so many, or one after another from `first`. */
  flows(flows: number, forwards: number, random: boolean, first = 0): void {
    this.#words.set([flows, forwards, random ? 1 : 0, first]);
  }

  /** Of the table that `touch` reads. */
  lines(count: number): void {
    this.#words[WORD.lines] = count;
  }

  /** Packets that were made one after another. */
  get made(): number {
    return this.#words[WORD.next]! >>> 0;
  }

  /** Of the frame that `rewind` makes again. */
  frame(bytes: number): void {
    this.#words[WORD.bytes] = bytes;
  }

  /** Where `rotate` and `rewind` lead. */
  aim(program: BpfProgram): void {
    const value = Buffer.alloc(4);
    value.writeUInt32LE(program.fd);
    this.#object.map("target").update(Buffer.alloc(4), value);
  }

  /** Where `send` leads, and to whom. */
  outBy(ifindex: number, mac: Uint8Array): void {
    this.#words[WORD.ifindex] = ifindex;
    new Uint8Array(this.#words.buffer).set(mac, WORD.mac * 4);
  }

  /**
   * `perSecond` packets, 0: as many as there can be; so many of a thousand from a source that never comes again. `window`: at that pace, packets that may be under way before some were taken;
   * what has to wait for that is made up for, as behind a wire whose other end can say "pause". 0: no window, and what was missed is not made up for, since it would come as a burst.
   */
  pace(perSecond: number, spoofed = 0, window = 0): void {
    const gap = perSecond === 0 ? 0 : Math.round(1e9 / perSecond);
    this.#longs[LONG.gap] = BigInt(gap);
    this.#longs[LONG.due] = 0n;
    this.#longs[LONG.late] = BigInt(window === 0 ? 16 * gap : LATE_NANOSECONDS);
    this.#words[WORD.window] = window;
    this.#words[WORD.spoofed] = Math.round((spoofed * 65_536) / 1000);
  }

  /** Runs in which a packet was due and had to wait for the window. */
  get held(): number {
    return Number(this.#longs[LONG.held]!);
  }

  /** Packets of flows, and of sources that never come again: sent by `send`, taken by the sinks that count. */
  get counts(): { sent: [number, number]; taken: [number, number] } {
    const at = (index: number): number => Number(this.#longs[index]!);
    return { sent: [at(LONG.sent), at(LONG.sent + 1)], taken: [at(LONG.taken), at(LONG.taken + 1)] };
  }
}

/** Of the structure `bench`. */
const WORD = { next: 3, ifindex: 4, lines: 5, spoofed: 20, mac: 21, window: 23, bytes: 28, count: 30 } as const;
const LONG = { state: 3, gap: 4, due: 5, sent: 6, taken: 8, late: 12, held: 13 } as const;
const LATE_NANOSECONDS = 1_000_000_000;

/** Ethernet, IPv4, UDP; addresses and ports are the program's. */
export function template(bytes: number, dmac: Uint8Array = new Uint8Array(6)): Uint8Array {
  const frame = Buffer.alloc(bytes);
  frame.set(dmac);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(bytes - 14, 16);
  frame[22] = 64;
  frame[23] = 17;
  frame.writeUInt16BE(bytes - 34, 38);
  frame.writeUInt16BE(0x1234, 40);
  return frame;
}
