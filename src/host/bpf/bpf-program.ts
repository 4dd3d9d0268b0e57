/** A loaded program: to be attached (xdp-link.ts), or run on packets that are given. */
import { Block } from "../block.ts";
import { type Bpf, cString } from "./bpf.ts";
import * as abi from "./bpf-abi.ts";

/** A run for tests and benches: BPF_PROG_TEST_RUN, on this processor. */
export interface TestRun {
  /** At least 14 bytes. */
  readonly packet: Uint8Array;
  /** Times; what the program made of the packet is what the next time begins with. Default 1. */
  readonly repeat?: number;
  /** Interface it came in at; default the loopback interface. */
  readonly ifindex?: number;
  /** What is sent is sent really, by BPF_F_TEST_XDP_LIVE_FRAMES. */
  readonly live?: boolean;
  /** With `live`: frames at once. */
  readonly batch?: number;
}

export interface TestResult {
  /** XDP_DROP, XDP_PASS … of the last time. */
  readonly verdict: number;
  /** Nanoseconds a time, on average. */
  readonly nanoseconds: number;
  /** What became of the packet; valid until the next run. */
  readonly packet: Uint8Array;
}

export class BpfProgram {
  readonly fd: number;
  readonly name: string;
  readonly #bpf: Bpf;
  readonly #packet: Block;
  readonly #out: Block;
  /** struct xdp_md: data u32 · data_end · data_meta · ingress_ifindex · rx_queue_index · egress_ifindex */
  readonly #context: Block;

  constructor(bpf: Bpf, fd: number, name: string) {
    this.#bpf = bpf;
    this.fd = fd;
    this.name = name;
    this.#packet = new Block(bpf.sys, PACKET_BYTES);
    this.#out = new Block(bpf.sys, PACKET_BYTES);
    this.#context = new Block(bpf.sys, CONTEXT_BYTES);
  }

  /** @throws HostError */
  run({ packet, repeat = 1, ifindex, live = false, batch = 0 }: TestRun): TestResult {
    this.#packet.bytes.set(packet);
    this.#context.words.fill(0);
    this.#context.words[1] = packet.length;
    this.#context.words[3] = ifindex ?? 0;
    const attr = this.#bpf
      .attr()
      .u32(0, this.fd)
      .u32(8, packet.length)
      .u64(16, this.#packet.address)
      .u32(32, repeat)
      .u32(64, live ? abi.BPF_F_TEST_XDP_LIVE_FRAMES : 0)
      .u32(72, batch);
    if (!live) attr.u32(12, PACKET_BYTES).u64(24, this.#out.address);
    if (ifindex !== undefined) attr.u32(40, CONTEXT_BYTES).u64(48, this.#context.address);
    this.#bpf.call(abi.BPF_PROG_TEST_RUN, `test run of ${this.name}`, 80);
    return { verdict: attr.read32(4), nanoseconds: attr.read32(36), packet: this.#out.bytes.subarray(0, live ? 0 : attr.read32(12)) };
  }

  /** @throws HostError: EEXIST when something is pinned there */
  pin(path: string): void {
    const name = cString(this.#bpf.sys, path);
    this.#bpf.attr().u64(0, name.address).u32(8, this.fd);
    this.#bpf.call(abi.BPF_OBJ_PIN, path);
  }

  close(): void {
    this.#bpf.sys.close(this.fd);
  }
}

const PACKET_BYTES = 4096;
const CONTEXT_BYTES = 24;
