/** The load of benches: bpf/bench.bpf.c, whose runs each make the packet of another flow. */
import type { Bpf } from "../../src/host/bpf/bpf.ts";
import { BpfObject } from "../../src/host/bpf/bpf-object.ts";
import type { BpfProgram } from "../../src/host/bpf/bpf-program.ts";
import { readObject } from "../../src/host/bpf/bpffs.ts";

export class BenchProgram {
  readonly empty: BpfProgram;
  readonly rotate: BpfProgram;
  readonly send: BpfProgram;
  readonly drop: BpfProgram;
  readonly #object: BpfObject;
  readonly #words: Uint32Array;
  readonly #state: BigUint64Array;

  constructor(bpf: Bpf) {
    this.#object = new BpfObject(bpf, readObject("bench"));
    this.empty = this.#object.load("xdp/empty");
    this.rotate = this.#object.load("xdp/rotate");
    this.send = this.#object.load("xdp/send");
    this.drop = this.#object.load("xdp/drop");
    const { buffer } = this.#object.map("bss").memory();
    this.#words = new Uint32Array(buffer, 0, 8);
    this.#state = new BigUint64Array(buffer, 24, 1);
    this.#state[0] = 88_172_645_463_325_252n;
  }

  /** Which flows: at random out of so many, or one after another from `first`. */
  flows(flows: number, forwards: number, random: boolean, first = 0): void {
    this.#words.set([flows, forwards, random ? 1 : 0, first]);
  }

  /** Packets that were made one after another. */
  get made(): number {
    return this.#words[3]! >>> 0;
  }

  /** Where `rotate` leads. */
  aim(program: BpfProgram): void {
    const value = Buffer.alloc(4);
    value.writeUInt32LE(program.fd);
    this.#object.map("target").update(Buffer.alloc(4), value);
  }

  /** Where `send` leads. */
  outBy(ifindex: number): void {
    this.#words[4] = ifindex;
  }
}

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
