/** What the program counted, added up over processors, read from memory without a system call. */
import type { BpfMap } from "../../host/bpf/bpf-map.ts";
import type { ForwardStats } from "../datapath.ts";
import { COUNT, REASONS, REASONS_ROOM } from "./layout.ts";

export class Counts {
  readonly #counts: BigUint64Array;
  readonly #reasons: BigUint64Array;
  readonly #forwards: number;
  readonly #cpus: number;

  constructor(counts: BpfMap, reasons: BpfMap, cpus: number) {
    const words = ({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): BigUint64Array =>
      new BigUint64Array(buffer, byteOffset, length / 8);
    this.#counts = words(counts.memory());
    this.#reasons = words(reasons.memory());
    this.#forwards = counts.shape.entries / cpus;
    this.#cpus = cpus;
  }

  /** What went nowhere, into `stats`. */
  addTo(stats: ForwardStats, forward: number): void {
    stats.denied += this.#sum(forward, COUNT.denied);
    stats.limited += this.#sum(forward, COUNT.limited);
    stats.refused += this.#sum(forward, COUNT.refused);
  }

  /** By the names of `REASONS`. */
  reasons(): Record<string, number> {
    const found: Record<string, number> = {};
    for (let reason = 1; reason < REASONS.length; reason++) found[REASONS[reason]!] = this.#reason(reason);
    return found;
  }

  reason(name: (typeof REASONS)[number]): number {
    return this.#reason(REASONS.indexOf(name));
  }

  /** For a number that another forward gets. */
  clear(forward: number): void {
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const at = ((cpu * this.#forwards + forward) * COUNT.bytes) / 8;
      this.#counts.fill(0n, at, at + COUNT.bytes / 8);
    }
  }

  #reason(reason: number): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.#cpus; cpu++) sum += Number(this.#reasons[cpu * REASONS_ROOM + reason]);
    return sum;
  }

  #sum(forward: number, field: number): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.#cpus; cpu++) sum += Number(this.#counts[((cpu * this.#forwards + forward) * COUNT.bytes + field) / 8]);
    return sum;
  }
}
