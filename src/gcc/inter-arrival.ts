/**
 * Groups packets that were sent in one burst, and tells how much longer two neighbouring groups took to arrive than to be sent.
 *
 *   sent      ▌▌▌        ▌▌▌▌        ▌▌
 *   received     ▐ ▐ ▐       ▐ ▐ ▐ ▐      ▐ ▐
 *                    └─ arrivalDelta ─┘       from the last packet of a group to the last of the next; sendDelta likewise
 *
 * A packet joins the group when it was sent within 5 ms of the group's first, or when it caught up with the group in a queue: it arrived
 * within 5 ms of the packet before and sooner than it was sent after it, and the group has lasted less than 100 ms.
 *
 * Source: reference/gcc.md C1; libwebrtc f3ae3eb6 goog_cc/inter_arrival_delta. Deviations: none.
 */
import type { Bytes, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const SEND_GROUP: Micros = 5000;
const BURST_DELTA_MAX: Micros = 5000;
const BURST_DURATION_MAX: Micros = 100_000;
/** Arrivals that run ahead of our clock by this much mean that the receiver's clock was set. */
const CLOCK_OFFSET_MAX: Micros = 3_000_000;
const REORDERED_MAX = 3;

/** Send and arrival times of one group; NaN = no packet yet. */
class Group {
  firstSend: Micros = Number.NaN;
  lastSend: Micros = Number.NaN;
  firstArrival: Micros = Number.NaN;
  lastArrival: Micros = Number.NaN;
  systemTime: Micros = 0;
  size: Bytes = 0;

  get empty(): boolean {
    return Number.isNaN(this.lastArrival);
  }

  clear(): void {
    this.lastArrival = Number.NaN;
    this.firstSend = Number.NaN;
  }

  begin(send: Micros, arrival: Micros): void {
    this.firstSend = send;
    this.lastSend = send;
    this.firstArrival = arrival;
    this.size = 0;
  }
}

export class InterArrival {
  /** After `receive` answered true: the deltas between the two last complete groups. */
  sendDelta: Micros = 0;
  arrivalDelta: Micros = 0;
  sizeDelta: Bytes = 0;
  /** Times the receiver's clock jumped or groups came in the wrong order, and everything began anew. */
  resets = 0;
  #current = new Group();
  #previous = new Group();
  #reordered = 0;

  /** Takes a received packet; true when a group was completed by it and the deltas are new. `systemTime` is our own clock. */
  receive(send: Micros, arrival: Micros, systemTime: Micros, size: Bytes): boolean {
    const current = this.#current;
    if (current.empty) {
      current.begin(send, arrival);
    } else if (current.firstSend > send) {
      return false;
    } else if (this.#beginsGroup(send, arrival)) {
      return this.#complete(send, arrival, systemTime, size);
    } else if (send > current.lastSend) {
      current.lastSend = send;
    }
    current.size += size;
    current.lastArrival = arrival;
    current.systemTime = systemTime;
    return false;
  }

  reset(): void {
    this.#reordered = 0;
    this.#current.clear();
    this.#previous.clear();
    this.#current.size = 0;
  }

  #complete(send: Micros, arrival: Micros, systemTime: Micros, size: Bytes): boolean {
    const current = this.#current;
    const previous = this.#previous;
    const measured = !previous.empty;
    if (measured) {
      const arrivalDelta = current.lastArrival - previous.lastArrival;
      const clockOffset = arrivalDelta - (current.systemTime - previous.systemTime);
      if (arrivalDelta < 0) this.#reordered++;
      if (clockOffset >= CLOCK_OFFSET_MAX || this.#reordered >= REORDERED_MAX) {
        this.resets++;
        this.reset();
        return false;
      }
      if (arrivalDelta < 0) return false;
      this.#reordered = 0;
      this.sendDelta = current.lastSend - previous.lastSend;
      this.arrivalDelta = arrivalDelta;
      this.sizeDelta = current.size - previous.size;
    }
    this.#previous = current;
    this.#current = previous;
    previous.begin(send, arrival);
    previous.size = size;
    previous.lastArrival = arrival;
    previous.systemTime = systemTime;
    return measured;
  }

  #beginsGroup(send: Micros, arrival: Micros): boolean {
    const current = this.#current;
    const sendDelta = send - current.lastSend;
    if (sendDelta === 0) return false;
    const arrivalDelta = arrival - current.lastArrival;
    const caughtUp = arrivalDelta - sendDelta < 0 && arrivalDelta <= BURST_DELTA_MAX && arrival - current.firstArrival < BURST_DURATION_MAX;
    return !caughtUp && send - current.firstSend > SEND_GROUP;
  }
}
