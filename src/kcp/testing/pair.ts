/** Two cores joined by a wire of constant delay in virtual time; allocates nothing per packet, so that what the cores allocate can be measured. */
import { assert } from "../../base/assert.ts";
import { type Bytes, type Millis, NEVER } from "../../base/units.ts";
import { Kcp } from "../kcp.ts";
import type { KcpOptions } from "../options.ts";
import { PACKET_BYTES_MAX } from "../segment.ts";

const PACKETS_MAX = 8192;
/** Positions a host's receive batch has: packets are handed over from there, as a core finds them in production. */
const BATCH_POSITIONS = 64;

/** One direction: packets in a slab, first in first out, and behind them the batch of the receiving host. */
class Wire {
  readonly bytes = new Uint8Array((PACKETS_MAX + BATCH_POSITIONS) * PACKET_BYTES_MAX);
  readonly view = new DataView(this.bytes.buffer);
  readonly length = new Int32Array(PACKETS_MAX);
  readonly due = new Float64Array(PACKETS_MAX);
  head = 0;
  tail = 0;
  /** Packets put in, dropped ones too. */
  count = 0;
}

export const fast3 = {
  conv: 0x1234_5678,
  mtu: 1400,
  sndWnd: 1024,
  rcvWnd: 1024,
  nodelay: 1,
  interval: 10,
  resend: 2,
  nc: 1,
  profile: "2026",
} as const;

export class Pair {
  readonly ends: readonly [Kcp, Kcp];
  now: Millis;
  delay: Millis = 25;
  /** Is packet `i` of end `from`, bytes[start…end), lost? */
  drops: (from: 0 | 1, i: number, bytes: Uint8Array, start: number, end: number) => boolean = () => false;
  readonly #wires = [new Wire(), new Wire()] as const;

  constructor(a: Partial<KcpOptions> = {}, b: Partial<KcpOptions> = a, now: Millis = 1000) {
    this.ends = [new Kcp({ ...fast3, ...a }), new Kcp({ ...fast3, ...b })];
    this.now = now;
  }

  /** Puts what end `from` has to send on the wire. */
  drain(from: 0 | 1): void {
    const wire = this.#wires[from];
    for (;;) {
      const i = wire.tail % PACKETS_MAX;
      const start = i * PACKET_BYTES_MAX;
      const length = this.ends[from].transmit(this.now, wire.bytes, wire.view, start);
      if (length === 0) return;
      if (this.drops(from, wire.count++, wire.bytes, start, start + length)) continue;
      assert(wire.tail - wire.head < PACKETS_MAX, "the test's wire is full");
      wire.length[i] = length;
      wire.due[i] = this.now + this.delay;
      wire.tail++;
    }
  }

  send(from: 0 | 1, bytes: Uint8Array, start = 0, end = bytes.length): Bytes {
    const taken = this.ends[from].send(this.now, bytes, start, end);
    this.drain(from);
    return taken;
  }

  /** Delivers and flushes what is due now. */
  turn(): void {
    for (let to = 0 as 0 | 1; to < 2; to++) {
      const wire = this.#wires[to === 0 ? 1 : 0];
      while (wire.head < wire.tail && wire.due[wire.head % PACKETS_MAX]! <= this.now) {
        const i = wire.head++ % PACKETS_MAX;
        const length = wire.length[i]!;
        const start = (PACKETS_MAX + (i % BATCH_POSITIONS)) * PACKET_BYTES_MAX;
        wire.bytes.copyWithin(start, i * PACKET_BYTES_MAX, i * PACKET_BYTES_MAX + length);
        this.ends[to].receive(this.now, wire.bytes, wire.view, start, start + length, true);
        this.drain(to);
      }
      this.ends[to].advance(this.now);
      this.drain(to);
    }
  }

  /** When something happens next; Infinity when both ends sleep and the wire is empty. */
  next(): Millis {
    let next = Math.min(this.ends[0].deadline(), this.ends[1].deadline());
    for (const wire of this.#wires) if (wire.head < wire.tail) next = Math.min(next, wire.due[wire.head % PACKETS_MAX]!);
    return next;
  }

  /** Lives on until `until`; `each` is called at the end of every moment and says whether to go on. */
  run(until: Millis, each: () => boolean = () => true): void {
    for (;;) {
      this.turn();
      if (!each()) return;
      const next = Math.max(this.next(), this.now);
      if (next === NEVER || next > until) {
        if (until !== NEVER) this.now = until;
        return;
      }
      this.now = next;
    }
  }
}

/** Bytes that differ from place to place, to see that each arrives in its own. */
export function pattern(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.imul(from + i + 1, 2654435761) >>> 24);
}
