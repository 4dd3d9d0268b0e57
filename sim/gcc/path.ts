/**
 * A bottleneck that several flows share, and the way back: both emulated links, with what a datagram carries kept beside it.
 *
 *   media  ─ packet ─┐                                        ┌─▶ arrived(sequence)
 *   media  ─ report ─┼─▶ forward or backward link ─▶ same end ┼─▶ reported(report)
 *   TCP    ─ bytes ──┘                                        └─▶ segment(bytes)
 */
import type { Bytes, Micros, Millis } from "../../src/base/units.ts";
import { EmulatedLink } from "../../src/emulator/link.ts";
import { parseLink } from "../../src/emulator/parse.ts";
import type { ArrivalReport } from "../../src/gcc/feedback-generator.ts";
import type { Member } from "../world.ts";

/** What a path brings to a media flow. */
export interface MediaEnd {
  /** A packet sent at `sentAt` arrives with its receiver. */
  arrived(now: Micros, sequence: number, sentAt: Micros, bytes: Bytes): void;
  /** A report arrives with the sender. */
  reported(now: Micros, report: ArrivalReport): void;
}

/** What takes a flow's packets and reports; `reverse`: the media flows back and its reports forward. */
export interface MediaPath {
  send(now: Micros, end: MediaEnd, sequence: number, bytes: Bytes, reverse: boolean): void;
  report(now: Micros, end: MediaEnd, report: ArrivalReport, bytes: Bytes, reverse: boolean): void;
}

/** What a path brings to one end of a TCP connection: bytes[0…length), borrowed until it returns. */
export interface SegmentEnd {
  segment(now: Millis, bytes: Uint8Array, view: DataView, length: number): void;
}

type Carried =
  | { readonly kind: "packet"; readonly end: MediaEnd; readonly sequence: number; readonly sentAt: Micros }
  | { readonly kind: "report"; readonly end: MediaEnd; readonly report: ArrivalReport }
  | { readonly kind: "segment"; readonly end: SegmentEnd };

const SLOTS = 1 << 16;

export class Path implements MediaPath, Member {
  readonly forward: EmulatedLink;
  readonly backward: EmulatedLink;
  readonly #carried: (Carried | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #bytes = new Uint8Array(2048);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #blank = new Uint8Array(2048);
  #next = 0;

  /** Links as text for `parseLink`. */
  constructor(forward: string, backward: string, seed: number) {
    this.forward = new EmulatedLink(parseLink(forward), seed);
    this.backward = new EmulatedLink(parseLink(backward), seed + 1);
  }

  send(now: Micros, end: MediaEnd, sequence: number, bytes: Bytes, reverse: boolean): void {
    this.#carry(reverse ? this.backward : this.forward, now / 1000, this.#blank, bytes, { kind: "packet", end, sequence, sentAt: now });
  }

  report(now: Micros, end: MediaEnd, report: ArrivalReport, bytes: Bytes, reverse: boolean): void {
    this.#carry(reverse ? this.forward : this.backward, now / 1000, this.#blank, bytes, { kind: "report", end, report });
  }

  /** Sends bytes[0…length) of a TCP connection to its other end. */
  segment(now: Millis, link: EmulatedLink, end: SegmentEnd, bytes: Uint8Array, length: Bytes): void {
    this.#carry(link, now, bytes, length, { kind: "segment", end });
  }

  turn(now: Millis): void {
    this.#drain(this.forward, now);
    this.#drain(this.backward, now);
  }

  deadline(): Millis {
    return Math.min(this.forward.deadline(), this.backward.deadline());
  }

  #carry(link: EmulatedLink, now: Millis, bytes: Uint8Array, length: Bytes, carried: Carried): void {
    const tag = this.#next;
    this.#next = (tag + 1) % SLOTS;
    this.#carried[tag] = carried;
    link.receive(now, bytes, 0, length, tag);
  }

  #drain(link: EmulatedLink, now: Millis): void {
    const at = Math.round(now * 1000);
    for (let length = link.transmit(now, this.#bytes, 0); length > 0; length = link.transmit(now, this.#bytes, 0)) {
      const carried = this.#carried[link.tag];
      if (carried?.kind === "packet") carried.end.arrived(at, carried.sequence, carried.sentAt, length);
      else if (carried?.kind === "report") carried.end.reported(at, carried.report);
      else carried?.end.segment(now, this.#bytes, this.#view, length);
    }
  }
}
