/** A flow's own stretch of path beside the shared bottleneck: more delay both ways, so that flows differ in round trip (RFC 8867 5.5). */
import { Heap } from "../../src/base/heap.ts";
import type { Bytes, Micros, Millis } from "../../src/base/units.ts";
import type { ArrivalReport } from "../../src/gcc/feedback-generator.ts";
import type { Member } from "../world.ts";
import type { MediaEnd, MediaPath } from "./path.ts";

type Held = { readonly sequence: number; readonly sentAt: Micros; readonly bytes: Bytes } | ArrivalReport;

export class Branch implements MediaPath, MediaEnd, Member {
  readonly #path: MediaPath;
  readonly #delay: Millis;
  readonly #held = new Heap<Held>();
  #end: MediaEnd | undefined;

  /** `delay` is added each way; it serves one flow. */
  constructor(path: MediaPath, delay: Millis) {
    this.#path = path;
    this.#delay = delay;
  }

  send(now: Micros, end: MediaEnd, sequence: number, bytes: Bytes, reverse: boolean): void {
    this.#end = end;
    this.#path.send(now, this, sequence, bytes, reverse);
  }

  report(now: Micros, end: MediaEnd, report: ArrivalReport, bytes: Bytes, reverse: boolean): void {
    this.#end = end;
    this.#path.report(now, this, report, bytes, reverse);
  }

  arrived(now: Micros, sequence: number, sentAt: Micros, bytes: Bytes): void {
    this.#held.push(now / 1000 + this.#delay, { sequence, sentAt, bytes });
  }

  reported(now: Micros, report: ArrivalReport): void {
    this.#held.push(now / 1000 + this.#delay, report);
  }

  turn(now: Millis): void {
    const at = Math.round(now * 1000);
    while (this.#held.minimum <= now) {
      const held = this.#held.pop()!;
      if ("sentAt" in held) this.#end?.arrived(at, held.sequence, held.sentAt, held.bytes);
      else this.#end?.reported(at, held);
    }
  }

  deadline(): Millis {
    return this.#held.minimum;
  }
}
