/**
 * What a flight knows of each segment: columns over a ring of places, a segment's at `sn & mask`, and the two lists that run through them. The ring is as long
 * as that of the window it belongs to, short for a session at rest.
 */
import { seqAdd } from "../base/seq.ts";
import type { Bytes, Seq32 } from "../base/units.ts";
import { FlyingList } from "./flying-list.ts";
import { LostQueue } from "./lost-queue.ts";

/** Places of a window at rest. */
export const PLACES_AT_FIRST = 8;
const NONE = -1;
/** Values of `state`. */
export const SETTLED = 0;
export const FLYING = 1;
export const LOST = 2;
/** Bits of `marks`: parity covers the last copy; the segment was resent with one before it; parity had left when the first copy was given up; that one began a run. */
export const COVERED = 1;
export const ALONG = 2;
export const REPLACED = 4;
export const RUN = 8;
/** The last copy went over a second way as well: what is heard of it tells nothing of this one. */
export const COPIED = 16;
/** Of the segment, not of a copy. */
export const KEPT = ALONG | REPLACED | RUN;
/** Of a place, in all columns and lists. */
const PLACE_BYTES = 74;

export class FlightTable {
  readonly mask: number;
  readonly sn: Uint32Array;
  /** When its last copy left. */
  readonly sentAt: Float64Array;
  /** Bytes delivered, and when the last of them was, as that copy left; and when the sample that it belongs to began. */
  readonly delivered: Float64Array;
  readonly deliveredAt: Float64Array;
  readonly firstSentAt: Float64Array;
  /** Counts transmissions. */
  readonly serial: Float64Array;
  /** FEC group; and see COVERED and those that follow it. */
  readonly group: Uint32Array;
  readonly marks: Uint8Array;
  readonly bytes: Uint16Array;
  readonly weight: Float32Array;
  readonly state: Uint8Array;
  readonly tries: Uint8Array;
  readonly limited: Uint8Array;
  readonly flying: FlyingList;
  readonly lost: LostQueue;

  /** `places`: a power of two. */
  constructor(places: number) {
    this.mask = places - 1;
    // One buffer, the longest numbers first: an idle session has some twenty columns of a few numbers each.
    const buffer = new ArrayBuffer(places * PLACE_BYTES);
    let at = 0;
    const take = (bytes: Bytes): number => {
      const from = at;
      at += bytes * places;
      return from;
    };
    this.sentAt = new Float64Array(buffer, take(8), places);
    this.delivered = new Float64Array(buffer, take(8), places);
    this.deliveredAt = new Float64Array(buffer, take(8), places);
    this.firstSentAt = new Float64Array(buffer, take(8), places);
    this.serial = new Float64Array(buffer, take(8), places);
    this.sn = new Uint32Array(buffer, take(4), places);
    this.group = new Uint32Array(buffer, take(4), places);
    this.weight = new Float32Array(buffer, take(4), places);
    const links = new Int32Array(buffer, take(16), 4 * places);
    this.bytes = new Uint16Array(buffer, take(2), places);
    this.marks = new Uint8Array(buffer, take(1), places);
    this.state = new Uint8Array(buffer, take(1), places);
    this.tries = new Uint8Array(buffer, take(1), places);
    this.limited = new Uint8Array(buffer, take(1), places);
    this.flying = new FlyingList(links, 0, places);
    this.lost = new LostQueue(this.sn, links, 2 * places);
  }

  get bytesHeld(): Bytes {
    return (this.mask + 1) * PLACE_BYTES;
  }

  /** The same in a ring of `places`, a power of two that holds what is in flight: segments before `nxt`, as many as both have places for. */
  moved(places: number, nxt: Seq32): FlightTable {
    const to = new FlightTable(places);
    const kept = Math.min(places, this.mask + 1);
    for (let sn = seqAdd(nxt, -kept); sn !== nxt; sn = seqAdd(sn, 1)) this.#copy(sn & this.mask, to, sn & to.mask);
    for (let f = this.flying.first; f !== NONE; f = this.flying.next(f)) to.flying.append(this.sn[f]! & to.mask);
    for (let f = this.lost.first; f !== NONE; f = this.lost.next(f)) to.lost.add(this.sn[f]! & to.mask);
    return to;
  }

  /** What left since `serial` bears this mark too. */
  mark(serial: number, mark: number): void {
    for (let f = this.flying.last; f !== NONE && this.serial[f]! >= serial; f = this.flying.previous(f)) this.marks[f]! |= mark;
  }

  #copy(f: number, to: FlightTable, g: number): void {
    to.sn[g] = this.sn[f]!;
    to.sentAt[g] = this.sentAt[f]!;
    to.delivered[g] = this.delivered[f]!;
    to.deliveredAt[g] = this.deliveredAt[f]!;
    to.firstSentAt[g] = this.firstSentAt[f]!;
    to.serial[g] = this.serial[f]!;
    to.group[g] = this.group[f]!;
    to.marks[g] = this.marks[f]!;
    to.bytes[g] = this.bytes[f]!;
    to.weight[g] = this.weight[f]!;
    to.state[g] = this.state[f]!;
    to.tries[g] = this.tries[f]!;
    to.limited[g] = this.limited[f]!;
  }
}
