/**
 * A train of packets that measures what a path carries, before anything is sent by that: so many packets back to back, and how fast they came.
 *
 *   CAR     │ header │ train u8 │ car u8 │ cars u8 │ zeros …                      as long as a full packet
 *   REPORT  │ header │ train u8 │ cars between the first and the last u8 │ µs between them u32 │
 *
 * The receiver reports when the last car has come, or REPORT_MS after the first. Every end that finds its peer to be one of ours sends TRAINS of them.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { EXTENSION_HEADER_BYTES, writeHeader } from "./header.ts";

export const CAR = 3;
export const REPORT = 4;

// Tuning
const CARS = 20;
const REPORT_MS: Millis = 60;
/** Fewer gaps, or a shorter time, tell nothing. */
const GAPS_MIN = 8;
const MICROS_MIN = 300;
/** Trains, one behind the other: a busy sender makes one slower, a busy receiver may make one faster, so the middle one counts. */
const TRAINS = 3;
const GAP_MS: Millis = 250;
/** Their numbers begin again. */
const NUMBERS = 256;

const BODY = EXTENSION_HEADER_BYTES;
const CAR_BYTES_MIN: Bytes = BODY + 3;
const REPORT_BYTES: Bytes = BODY + 6;

export class Train {
  /** Bytes a millisecond that the path carries, without what lies below the packets; 0 until it is known. */
  rate = 0;
  /** Shortest round trip of a train's first car, 0 until it is known. */
  rtt: Millis = 0;
  /** When each train left, by its number. */
  readonly #sentAt: Millis[] = [];
  /** What trains have measured, in ascending order. */
  readonly #rates: number[] = [];
  errors = 0;
  /** Reports on trains that left over another path. */
  late = 0;
  readonly #conv: number;
  readonly #carBytes: Bytes;
  #carsLeft = 0;
  #tries = 0;
  /** Trains that left over other paths. */
  #before = 0;
  #retryAt: Millis = NEVER;
  #first = { train: -1, car: 0, at: 0 };
  #last = { car: 0, at: 0 };
  #reportAt: Millis = NEVER;
  #reportDue = false;

  /** Cars are `carBytes` long. */
  constructor(conv: number, carBytes: Bytes) {
    this.#conv = conv;
    this.#carBytes = carBytes;
  }

  /** The peer understands it: the train leaves. Only the first call counts. */
  depart(now: Millis): void {
    if (this.#tries > 0) return;
    this.#send(now);
  }

  /** The session takes another path: what was measured is forgotten, and measured anew. Nothing when no train has left yet. */
  again(now: Millis): void {
    if (this.#tries === 0) return;
    this.#before = this.#tries;
    this.rate = 0;
    this.rtt = 0;
    this.#rates.length = 0;
    this.#send(now);
  }

  receive(now: Millis, type: number, view: DataView, start: number, end: number): void {
    if (type === CAR && end - start >= CAR_BYTES_MIN) this.#car(now, view, start);
    else if (type === REPORT && end - start >= REPORT_BYTES) this.#report(now, view, start);
    else this.errors++;
  }

  advance(now: Millis): void {
    if (now >= this.#reportAt) {
      this.#reportAt = NEVER;
      this.#reportDue = true;
    }
    if (now < this.#retryAt) return;
    this.#retryAt = NEVER;
    if (this.#tries - this.#before < TRAINS) this.#send(now);
  }

  deadline(): Millis {
    return Math.min(this.#reportAt, this.#retryAt);
  }

  /** Writes the next message to bytes[at…); answers its length, 0 when there is none. */
  transmit(bytes: Uint8Array, view: DataView, at: number): Bytes {
    if (this.#reportDue) {
      this.#reportDue = false;
      writeHeader(view, at, this.#conv, REPORT);
      view.setUint8(at + BODY, this.#first.train);
      view.setUint8(at + BODY + 1, this.#last.car - this.#first.car);
      view.setUint32(at + BODY + 2, Math.round((this.#last.at - this.#first.at) * 1000), true);
      return REPORT_BYTES;
    }
    if (this.#carsLeft === 0) return 0;
    bytes.fill(0, at, at + this.#carBytes);
    writeHeader(view, at, this.#conv, CAR);
    view.setUint8(at + BODY, this.#tries % NUMBERS);
    view.setUint8(at + BODY + 1, CARS - this.#carsLeft--);
    view.setUint8(at + BODY + 2, CARS);
    return this.#carBytes;
  }

  #send(now: Millis): void {
    this.#tries++;
    this.#sentAt[this.#tries % NUMBERS] = now;
    this.#carsLeft = CARS;
    this.#retryAt = now + GAP_MS;
  }

  #car(now: Millis, view: DataView, start: number): void {
    const train = view.getUint8(start + BODY);
    const car = view.getUint8(start + BODY + 1);
    if (train !== this.#first.train) {
      this.#first = { train, car, at: now };
      this.#reportAt = now + REPORT_MS;
    }
    if (car < this.#last.car && train === this.#first.train && this.#reportAt === NEVER) return;
    this.#last.car = car;
    this.#last.at = now;
    if (car === view.getUint8(start + BODY + 2) - 1 && this.#reportAt !== NEVER) this.#reportAt = now;
  }

  #report(now: Millis, view: DataView, start: number): void {
    const gaps = view.getUint8(start + BODY + 1);
    const micros = view.getUint32(start + BODY + 2, true);
    const after = (view.getUint8(start + BODY) - this.#before + NUMBERS) % NUMBERS;
    if (this.#tries === 0 || gaps < GAPS_MIN || gaps >= CARS || micros < MICROS_MIN) this.errors++;
    else if (after < 1 || after > TRAINS) this.late++;
    else if (this.#rates.length < TRAINS) {
      this.#rates.push((gaps * this.#carBytes * 1000) / micros);
      this.#rates.sort((a, b) => a - b);
      this.rate = this.#rates[(this.#rates.length - 1) >> 1]!;
      // A whole train is reported when its last car has come.
      const rtt = now - (this.#sentAt[view.getUint8(start + BODY)] ?? now) - micros / 1000;
      if (gaps === CARS - 1 && rtt > 0 && (this.rtt === 0 || rtt < this.rtt)) this.rtt = rtt;
    }
  }
}
