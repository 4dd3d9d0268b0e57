/** What the program reads with every packet, in memory that both see: the collector's clock, the generation of routes, budgets, capture. */
import type { BpfMap } from "../../host/bpf/bpf-map.ts";
import type { Family } from "../ip-range.ts";
import { ALL_FORWARDS, rateCost, SETTINGS } from "./layout.ts";

export class Settings {
  readonly #words: Int32Array;
  readonly #view: DataView;

  constructor(map: BpfMap) {
    const { buffer, byteOffset } = map.memory();
    this.#words = new Int32Array(buffer, byteOffset, SETTINGS.bytes / 4);
    this.#view = new DataView(buffer, byteOffset, SETTINGS.bytes);
  }

  /** Two words, made with the tables: see flows.h. */
  get seed(): Uint32Array {
    return new Uint32Array(this.#words.buffer, this.#words.byteOffset + SETTINGS.seed, 2);
  }

  /** Gives new tables a seed; those of an earlier process keep theirs. */
  sow(): void {
    const { seed } = this;
    if (seed[0] === 0 && seed[1] === 0) seed.set(crypto.getRandomValues(new Uint32Array(2)));
  }

  /** One word for each family, which the program sets when it puts a flow there. */
  used(family: Family): Int32Array {
    const offset = family === 4 ? SETTINGS.used4 : SETTINGS.used6;
    return new Int32Array(this.#words.buffer, this.#words.byteOffset + offset, 1);
  }

  get now(): number {
    return Atomics.load(this.#words, SETTINGS.now / 4) >>> 0;
  }

  set now(seconds: number) {
    Atomics.store(this.#words, SETTINGS.now / 4, seconds);
  }

  /** Routes, neighbours or policies changed: every flow looks at them again with its next packet. */
  renew(): void {
    Atomics.add(this.#words, SETTINGS.generation / 4, 1);
  }

  setFlag(flag: number, on: boolean): void {
    if (on) Atomics.or(this.#words, SETTINGS.flags / 4, flag);
    else Atomics.and(this.#words, SETTINGS.flags / 4, ~flag);
  }

  /** One packet in `oneIn`, 0: none; of one forward or of all. */
  capture(oneIn: number, forward = ALL_FORWARDS): void {
    Atomics.store(this.#words, SETTINGS.captureForward / 4, forward);
    Atomics.store(this.#words, SETTINGS.capture / 4, oneIn);
  }

  /** New flows a second, and ICMP errors of our own; a burst of a second's worth passes. */
  budgets(flowsPerSecond: number, answersPerSecond: number): void {
    for (const [offset, perSecond] of [
      [SETTINGS.flowRate, flowsPerSecond],
      [SETTINGS.answerRate, answersPerSecond],
    ] as const) {
      this.#view.setBigUint64(offset + 8, BUDGET_BURST, true);
      this.#view.setBigUint64(offset, rateCost(perSecond), true);
    }
  }
}

const BUDGET_BURST = 1_000_000_000n;
