/**
 * Where on the link packets leave that the routing table would send the same way, so that they need not pass through it one by one: what the kernel's tables
 * say is asked once for each source and destination, and again when one of them changes.
 *
 *   by the link   unicast by an Ethernet interface, the neighbour's hardware address known, and no output rule that would be passed by (output-rules.ts),
 *                 which is looked at every second while packets are sent
 *   by the route  all else; and each second the first packet of each source and destination, so that the kernel goes on to confirm its neighbour
 *
 * A change of route, interface or neighbour holds from when the loop hears of it, a rule of the firewall after a second at most.
 *
 * Source: packet(7), rtnetlink(7); reference udp2raw.md section 13.
 */
import type { Batch } from "../base/batch.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { type Interface, listInterfaces } from "./interface.ts";
import { addressBytes } from "./ip-address.ts";
import type { LinkTable } from "./link-table.ts";
import { EPOLLIN } from "./linux-abi.ts";
import { OutputRules } from "./output-rules.ts";
import type { Reactor } from "./reactor.ts";
import { RouteNews } from "./route-news.ts";
import { RouteQuestions } from "./route-questions.ts";

/** Sources and destinations that are remembered: a power of two. One that hashes as another takes its place. */
const WAYS = 1024;
/** Tuning: of 20 to 40 µs each; in a second. */
const QUESTIONS_MAX = 256;
/** Hardware addresses that are known; what comes after them goes by the route. */
const PLACES_MAX = 1000;
const CHECK_MS = 1000;

interface KnownWay {
  /** Source and destination. */
  readonly words: Int32Array;
  generation: number;
  /** Of the link table, 0: by the route. */
  place: number;
  /** The second in which the kernel had a packet of it. */
  confirmed: number;
}

export class DirectWays {
  readonly #reactor: Reactor;
  readonly #version: 4 | 6;
  readonly #places: LinkTable;
  readonly #numbers = new Map<string, number>();
  readonly #ways: (KnownWay | undefined)[] = new Array<undefined>(WAYS).fill(undefined);
  #tables: Tables | undefined;
  #interfaces: readonly Interface[] | undefined;
  #generation = 0;
  #second = 0;
  #questions = 0;
  #allowed = false;
  #used = false;
  #watching = false;
  #closed = false;

  constructor(reactor: Reactor, version: 4 | 6, places: LinkTable) {
    this.#reactor = reactor;
    this.#version = version;
    this.#places = places;
  }

  /** The place that packet i of the batch leaves to; 0: the routing table's business. */
  placeOf(batch: Batch, i: number): number {
    this.#used = true;
    if (!this.#allowed) {
      if (!this.#watching) this.#watch();
      return 0;
    }
    const way = this.#wayOf(batch, batch.start[i]!);
    if (way.generation !== this.#generation) this.#ask(way, batch, batch.start[i]!);
    if (way.confirmed === this.#second) return way.place;
    way.confirmed = this.#second;
    return 0;
  }

  close(): void {
    this.#closed = true;
    this.#tables?.close();
    this.#tables = undefined;
  }

  #wayOf({ view }: Batch, at: number): KnownWay {
    const from = at + (this.#version === 4 ? 12 : 8);
    const words = this.#version === 4 ? 2 : 8;
    let hash = 0;
    for (let k = 0; k < words; k++) hash = Math.imul(hash ^ view.getInt32(from + 4 * k), 0x9e3779b1);
    const index = (hash >>> 16) & (WAYS - 1);
    let way = this.#ways[index];
    let same = way !== undefined;
    for (let k = 0; same && k < words; k++) same = way!.words[k] === view.getInt32(from + 4 * k);
    if (same) return way!;
    way = { words: new Int32Array(words), generation: -1, place: 0, confirmed: -1 };
    for (let k = 0; k < words; k++) way.words[k] = view.getInt32(from + 4 * k);
    this.#ways[index] = way;
    return way;
  }

  #ask(way: KnownWay, { bytes }: Batch, at: number): void {
    way.place = 0;
    if (this.#questions >= QUESTIONS_MAX) return;
    this.#questions++;
    way.generation = this.#generation;
    const [from, length] = this.#version === 4 ? [at + 12, 4] : [at + 8, 16];
    try {
      way.place = this.#find(bytes.slice(from, from + length), bytes.slice(from + length, from + 2 * length));
    } catch {
      // By the route, which says what is wrong.
    }
  }

  #find(source: Uint8Array, destination: Uint8Array): number {
    const { routes } = this.#tables!;
    const way = routes.wayTo(destination, source);
    if (way === undefined || way.local || way.encapsulated) return 0;
    this.#interfaces ??= listInterfaces(this.#reactor.sys);
    const out = this.#interfaces.find(({ ifindex }) => ifindex === way.ifindex);
    // What belongs to another interface may be in a routing domain with rules of its own.
    if (out === undefined || !out.ethernet || !out.up || out.master !== 0) return 0;
    const hardware = routes.hardwareAddress(way.ifindex, addressBytes(way.nextHop));
    if (hardware?.length !== out.mac.length) return 0;
    const key = `${way.ifindex} ${hardware.join(".")} ${out.mac.join(".")}`;
    const known = this.#numbers.get(key);
    if (known !== undefined || this.#numbers.size >= PLACES_MAX) return known ?? 0;
    const number = this.#places.fixed(way.ifindex, this.#version, hardware, out.mac);
    this.#numbers.set(key, number);
    return number;
  }

  #watch(): void {
    if (this.#closed) return;
    this.#watching = true;
    this.#reactor.later(() => this.#check());
  }

  /** Every second, as long as packets are sent. */
  #check(): void {
    if (this.#closed) return;
    this.#second++;
    this.#questions = 0;
    this.#watching = this.#used;
    this.#allowed = this.#used && this.#mayPass();
    this.#used = false;
    if (this.#watching) this.#reactor.after(CHECK_MS, () => this.#check());
  }

  /** What cannot be asked is answered no. */
  #mayPass(): boolean {
    try {
      this.#tables ??= new Tables(this.#reactor, this.#version, () => {
        this.#generation++;
        this.#interfaces = undefined;
      });
      return this.#tables.rules.none();
    } catch {
      return false;
    }
  }
}

/** What is asked of the kernel, open from the first packet on. */
class Tables implements Pollable {
  readonly fd: number;
  readonly routes: RouteQuestions;
  readonly rules: OutputRules;
  readonly #news: RouteNews;
  readonly #reactor: Reactor;
  readonly #registration: Registration;
  readonly #changed: () => void;

  /** @throws HostError */
  constructor(reactor: Reactor, version: 4 | 6, changed: () => void) {
    const { sys } = reactor;
    this.#reactor = reactor;
    this.#changed = changed;
    const opened: { close(): void }[] = [];
    const keep = <T extends { close(): void }>(made: T): T => {
      opened.push(made);
      return made;
    };
    try {
      this.routes = keep(new RouteQuestions(sys));
      this.rules = keep(new OutputRules(sys, version));
      this.#news = keep(new RouteNews(sys, changed));
      this.fd = this.#news.fd;
      this.#registration = reactor.epoll.add(this, EPOLLIN);
    } catch (error) {
      for (const each of opened) each.close();
      throw error;
    }
  }

  ready(): void {
    try {
      this.#news.read();
    } catch {
      this.#changed();
    }
  }

  close(): void {
    this.#reactor.epoll.remove(this.#registration);
    this.#news.close();
    this.rules.close();
    this.routes.close();
  }
}
