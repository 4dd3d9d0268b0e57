/**
 * Who listens at exactly one address and port, in memory that the program reads: open addressing as bpf/admit.h has it.
 *
 *   hash(seed, address, port) & mask ─► place, and on to the first EMPTY one, LISTENER_PROBES at most          forward: 0 EMPTY · −1 GONE · else its number + 1
 *
 * Only this process writes. A place is claimed for a key while nobody is led anywhere by it, and published by one number; what is GONE gets another key, or ends its
 * chain, only when no packet can be reading it any more.
 */
import { HostError } from "../../base/errors.ts";
import type { Listen } from "../listen.ts";
import { putAddress, putIpv4, swappedPort } from "./address.ts";
import { LISTENER, LISTENER_PROBES } from "./layout.ts";
import { MARK, type Staged } from "./staged.ts";

export interface ListenerMemory {
  /** 2^n places. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Two words. */
  readonly seed: Uint32Array;
}

export class ListenerTable {
  readonly #words: Int32Array;
  readonly #mask: number;
  readonly #seed: Uint32Array;
  readonly #key = new Int32Array(KEY_WORDS);
  /** Places that are GONE: since the last `rest`, and since the one before. */
  #freed = new Set<number>();
  #resting = new Set<number>();

  constructor({ bytes, seed }: ListenerMemory) {
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    this.#mask = 2 ** Math.floor(Math.log2(bytes.byteLength / LISTENER.bytes)) - 1;
    this.#seed = seed;
  }

  /** The place of one address and port, which it may have had before; what is new leads nowhere until `publish`. @throws HostError when it has none */
  claim({ addresses: { family, first }, ports }: Listen): number {
    putAddress(this.#key, 0, family, first);
    this.#key[LISTENER.port / 4] = swappedPort(ports.first);
    return this.#claim(this.#key, 0);
  }

  /** The same of all that are plain and whose number is new, from their numbers alone (forward.ts): they are led to at once where nobody is led elsewhere. */
  claimPlain({ ids, plainPorts, plainListens, places, marks, rows }: Staged): void {
    const [words, mask, key] = [this.#words, this.#mask, this.#key];
    putIpv4(key, 0, 0);
    const begun = hashOf(this.#seed[0]!, key, 0, IPV4_WORD);
    for (let row = 0; row < rows; row++) {
      const ports = plainPorts[row]!;
      if (ports === 0 || marks[row] !== MARK.isNew) continue;
      const listen = plainListens[row]!;
      const address = (listen << 24) | ((listen & 0xff00) << 8) | ((listen >>> 8) & 0xff00) | (listen >>> 24);
      const port = ((ports & 0xff) << 8) | ((ports >>> 8) & 0xff);
      let hash = Math.imul(begun ^ address, HASH_FACTOR);
      hash = Math.imul(hash ^ (hash >>> 16) ^ port, HASH_FACTOR);
      let place = (hash ^ (hash >>> 16)) & mask;
      const at = place * STRIDE;
      if (words[at + FORWARD] === EMPTY) {
        // Most: nobody is there, and who comes is led to at once.
        words[at] = 0;
        words[at + 1] = 0;
        words[at + 2] = key[2]!;
        words[at + IPV4_WORD] = address;
        words[at + LISTENER.port / 4] = port;
        words[at + FORWARD] = ids[row]! + 1;
        marks[row] = MARK.isNew | MARK.isLed;
      } else {
        key[IPV4_WORD] = address;
        key[LISTENER.port / 4] = port;
        place = this.#claim(key, 0);
        if (this.lead(place, ids[row]!)) marks[row] = MARK.isNew | MARK.isLed;
      }
      places[row] = place;
    }
  }

  /** From now on packets go to forward `id`, and no more to whom they went before. */
  publish(place: number, id: number): void {
    Atomics.store(this.#words, place * STRIDE + FORWARD, id + 1);
  }

  /**
   * From now on packets go to a number that leads nowhere itself yet, unless they go to somebody; whether they do. A plain store: a packet that sees half of a new place
   * goes nowhere as well, and a barrier for each of many would have every one of them wait for its line of memory.
   */
  lead(place: number, id: number): boolean {
    const at = place * STRIDE + FORWARD;
    if (this.#words[at]! > 0) return false;
    this.#words[at] = id + 1;
    return true;
  }

  /** Forward `id` does not listen there any more; perhaps another one does. */
  release(place: number, id: number): void {
    const at = place * STRIDE + FORWARD;
    if (this.#words[at] !== id + 1) return;
    Atomics.store(this.#words, at, GONE);
    this.#freed.add(place);
  }

  /** It was claimed and is not to be published; who listens there goes on. */
  abandon(place: number): void {
    if (this.#words[place * STRIDE + FORWARD] === GONE) this.#freed.add(place);
  }

  /** The forward that has the place; undefined: none. */
  at(place: number): number | undefined {
    const forward = this.#words[place * STRIDE + FORWARD]!;
    return forward > 0 ? forward - 1 : undefined;
  }

  /** All places at which somebody listens. */
  *places(): Generator<number> {
    for (let place = 0; place <= this.#mask; place++) if (this.#words[place * STRIDE + FORWARD]! > 0) yield place;
  }

  get isResting(): boolean {
    return this.#freed.size + this.#resting.size > 0;
  }

  /** To be called when all packets that were under way are through: what is GONE since before the last time can be used again. */
  rest(): void {
    const rested = this.#resting;
    this.#resting = this.#freed;
    this.#freed = new Set();
    for (const place of rested) if (this.#forward(place + 1) === EMPTY) this.#clear(place);
  }

  /** Takes over who listens in another table. @throws HostError when one finds no place */
  copy(from: ListenerTable): void {
    for (const place of from.places()) this.take(from.#words, place * STRIDE, from.at(place)!);
  }

  /** A key of five words, as the table has them, from word `at` on. @throws HostError when it finds no place */
  take(words: Int32Array, at: number, id: number): void {
    this.publish(this.#claim(words, at), id);
  }

  #claim(key: Int32Array, from: number): number {
    const [words, mask] = [this.#words, this.#mask];
    const hash = hashOf(this.#seed[0]!, key, from, KEY_WORDS);
    let free = -1;
    for (let n = 0; n < LISTENER_PROBES; n++) {
      const place = (hash + n) & mask;
      const forward = words[place * STRIDE + FORWARD]!;
      if (forward !== EMPTY && this.#is(place, key, from)) {
        if (forward === GONE) this.#keep(place);
        return place;
      }
      if (free < 0 && (forward === EMPTY || (forward === GONE && this.#isRested(place)))) free = place;
      if (forward === EMPTY) break;
    }
    if (free < 0) throw new HostError("ENOSPC", "bpf", `no place for a listener among ${LISTENER_PROBES} of ${mask + 1}`);
    const at = free * STRIDE;
    for (let i = 0; i < KEY_WORDS; i++) words[at + i] = key[from + i]!;
    // What is written behind it, by `publish`, is seen behind it.
    words[at + FORWARD] = GONE;
    return free;
  }

  #is(place: number, key: Int32Array, from: number): boolean {
    const base = place * STRIDE;
    for (let i = KEY_WORDS - 1; i >= 0; i--) if (this.#words[base + i] !== key[from + i]) return false;
    return true;
  }

  #keep(place: number): void {
    this.#freed.delete(place);
    this.#resting.delete(place);
  }

  #isRested(place: number): boolean {
    return !this.#freed.has(place) && !this.#resting.has(place);
  }

  /** No chain leads over it, nor over those before it that are GONE as well. */
  #clear(last: number): void {
    for (let place = last; this.#forward(place) === GONE && this.#isRested(place & this.#mask); place--)
      Atomics.store(this.#words, (place & this.#mask) * STRIDE + FORWARD, EMPTY);
  }

  #forward(place: number): number {
    return this.#words[(place & this.#mask) * STRIDE + FORWARD]!;
  }
}

function hashOf(seed: number, key: Int32Array, from: number, words: number): number {
  let hash = seed;
  for (let i = from; i < from + words; i++) {
    hash = Math.imul(hash ^ key[i]!, HASH_FACTOR);
    hash ^= hash >>> 16;
  }
  return hash;
}

const EMPTY = 0;
const GONE = -1;
const STRIDE = LISTENER.bytes / 4;
const FORWARD = LISTENER.forward / 4;
/** Of an IPv4 address in its mapped form, what is its own. */
const IPV4_WORD = 3;
/** Address, port and two zeros. */
const KEY_WORDS = 5;
/** 2^32 divided by the golden ratio. */
const HASH_FACTOR = 0x9e37_79b1;
