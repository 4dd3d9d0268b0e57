/**
 * A bottleneck that several flows share, and the way back: both emulated links, with what a datagram carries kept beside it.
 *
 *   flow ─ send(sequence, bytes) ─▶ forward link ─▶ flow.arrived(sequence, …)
 *   flow ◀─ reported(report) ─────── backward link ◀─ report(…) ─ flow
 */
import type { Micros, Millis } from "../../src/base/units.ts";
import { EmulatedLink } from "../../src/emulator/link.ts";
import { parseLink } from "../../src/emulator/parse.ts";
import type { ArrivalReport } from "../../src/gcc/feedback-generator.ts";
import type { Member } from "../world.ts";

/** What a path brings to the flows on it. */
export interface PathEnd {
  /** A packet sent at `sentAt` arrives with its receiver. */
  arrived(now: Micros, sequence: number, sentAt: Micros, bytes: number): void;
  /** A report arrives with the sender. */
  reported(now: Micros, report: ArrivalReport): void;
}

interface Carried {
  readonly end: PathEnd;
  readonly sequence: number;
  readonly sentAt: Micros;
  readonly report: ArrivalReport | undefined;
}

const SLOTS = 1 << 16;

export class Path implements Member {
  readonly forward: EmulatedLink;
  readonly backward: EmulatedLink;
  readonly #carried: (Carried | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #bytes = new Uint8Array(2048);
  #next = 0;

  /** Links as text for `parseLink`. */
  constructor(forward: string, backward: string, seed: number) {
    this.forward = new EmulatedLink(parseLink(forward), seed);
    this.backward = new EmulatedLink(parseLink(backward), seed + 1);
  }

  send(now: Micros, end: PathEnd, sequence: number, bytes: number): void {
    this.#carry(this.forward, now, bytes, { end, sequence, sentAt: now, report: undefined });
  }

  report(now: Micros, end: PathEnd, report: ArrivalReport, bytes: number): void {
    this.#carry(this.backward, now, bytes, { end, sequence: 0, sentAt: now, report });
  }

  turn(now: Millis): void {
    const at = Math.round(now * 1000);
    for (const link of [this.forward, this.backward]) {
      for (let bytes = link.transmit(now, this.#bytes, 0); bytes > 0; bytes = link.transmit(now, this.#bytes, 0)) {
        const carried = this.#carried[link.tag];
        if (carried === undefined) continue;
        if (carried.report === undefined) carried.end.arrived(at, carried.sequence, carried.sentAt, bytes);
        else carried.end.reported(at, carried.report);
      }
    }
  }

  deadline(): Millis {
    return Math.min(this.forward.deadline(), this.backward.deadline());
  }

  #carry(link: EmulatedLink, now: Micros, bytes: number, carried: Carried): void {
    const tag = this.#next;
    this.#next = (tag + 1) % SLOTS;
    this.#carried[tag] = carried;
    link.receive(now / 1000, this.#bytes, 0, bytes, tag);
  }
}
