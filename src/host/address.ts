/**
 * Socket addresses as small integers: what travels with a datagram is an id, and looking one up allocates nothing.
 *
 *   record of id n, ten 32-bit words in memory order:
 *   ┌ 0…3 address ─────────────┬ 4 ─────┬ 5 ─────┬ 6…9 local address ────────────────┐
 *   │ 16 bytes, network order  │ port,0 │ scope  │ the address of ours that was asked │   zeros: whatever the route chooses
 *   └──────────────────────────┴────────┴────────┴────────────────────────────────────┘
 *   IPv4 stands in its mapped form (ip-address.ts). The port is in network order in the low two bytes of its word.
 *
 *   hash(record) ─► open-addressed index of ids, linear probing, at most half full
 *
 * The hash is keyed with a random seed, so that nobody can choose addresses that collide. When `peersMax` addresses are known, the one
 * that was not heard from for the longest time gives way, unless somebody holds it (`hold`) or it was heard in the current
 * turn: a batch never names two peers by one id.
 *
 * Who calls at two of our addresses is two peers, each answered from the address it asked. Whom we call (`intern`) is one, and the route
 * chooses our address anew for every datagram, so that the call survives a change of network.
 */
import { getRandomValues } from "node:crypto";
import { assert } from "../base/assert.ts";
import { formatHostPort, formatIp, ipScope, parseIp } from "./ip-address.ts";

export const ADDRESS_WORDS = 10;
export const PORT_WORD = 4;
export const SCOPE_WORD = 5;
export const LOCAL_WORD = 6;
const LOCAL_BYTE = LOCAL_WORD * 4;
const PORT_BYTE = PORT_WORD * 4;
const ADDRESS_BYTES = ADDRESS_WORDS * 4;

const PEERS_MAX_DEFAULT = 65_536;
/** A client's socket knows one or two. */
const PEERS_AT_FIRST = 2;
const NONE = -1;

/** Numbers kept of each id: its hash, who holds it, the turn in which it was heard last, its neighbours in the list of those that may give way, and its mark. */
const HASH = 0;
const HOLDERS = 1;
const HEARD = 2;
const OLDER = 3;
const NEWER = 4;
const MARK = 5;
const FACTS = 6;

/** What is looked up, and room to put its local address aside: nothing in them outlives that, so all tables of a thread share them. */
const sharedKey = new Uint32Array(ADDRESS_WORDS);
const sharedKeyBytes = new Uint8Array(sharedKey.buffer);
const putAside = new Uint32Array(ADDRESS_WORDS - LOCAL_WORD);

export interface AddressTableOptions {
  /** Most addresses remembered, 1…2^22. Default 65,536. */
  readonly peersMax?: number | undefined;
  /** Key of the hash; random by default. */
  readonly seed?: number | undefined;
}

export interface AddressTableCounters {
  /** Addresses known now. */
  peers: number;
  /** Addresses that gave way to another one. */
  recycled: number;
  /** Addresses not taken because none could give way. */
  full: number;
}

export class AddressTable {
  readonly peersMax: number;
  readonly counters: AddressTableCounters = { peers: 0, recycled: 0, full: 0 };
  /** Fill it with a record, then call `internKey`, before anything is asked of any other table. */
  readonly key = sharedKey;
  readonly #seed: number;
  #words = new Uint32Array(0);
  #bytes = new Uint8Array(0);
  #index = new Int32Array(0);
  /** FACTS of each id. */
  #facts = new Int32Array(0);
  #oldest = NONE;
  #newest = NONE;
  #last = NONE;
  #turn = 1;
  /** Records without a local address. */
  #anyLocal = 0;
  /** Texts that were asked for, by id, so that sockets that speak in text ask for nothing new with every datagram. */
  readonly #hosts: (string | undefined)[] = [];
  /** The last call of `intern`; it holds while nothing was recycled since. */
  #internedHost = "";
  #internedPort = 0;
  #internedId = NONE;
  #internedAge = 0;

  constructor(options: AddressTableOptions = {}) {
    this.peersMax = options.peersMax ?? PEERS_MAX_DEFAULT;
    assert(this.peersMax >= 1 && this.peersMax <= 1 << 22, "peersMax is 1…2^22");
    this.#seed = options.seed ?? getRandomValues(new Int32Array(1))[0]!;
    this.#grow(Math.min(PEERS_AT_FIRST, this.peersMax));
  }

  /** Records of all ids, `ADDRESS_WORDS` each; replaced when the table grows, so read it anew in every batch. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Begins a turn: ids handed out from now on stay what they are until the next turn. */
  turn(): void {
    this.#turn = (this.#turn + 1) | 0;
    this.#last = NONE;
  }

  /**
   * Id of the record in `key`, or −1 when the table is full of addresses that cannot give way. An address that was interned without a
   * local address is the same peer whichever address of ours it answers to: then `key` loses its local address.
   */
  internKey(): number {
    const last = this.#last;
    if (last !== NONE && this.#equals(last)) return last;
    const hash = this.#hash();
    let id = this.#find(hash);
    if (id === NONE && this.#anyLocal > 0 && !this.#isAnyLocal(this.key, 0)) id = this.#findAnyLocal();
    if (id === NONE) return this.#insert(hash);
    this.#touch(id);
    return id;
  }

  /**
   * Id of a literal address and port, or −1 when the table is full of addresses that cannot give way. Hold it before the next
   * datagram is received. A bug when `host` is no literal address.
   */
  intern(host: string, port: number): number {
    if (host === this.#internedHost && port === this.#internedPort && this.counters.recycled === this.#internedAge) {
      this.#touch(this.#internedId);
      return this.#internedId;
    }
    this.#writeKey(host, port);
    const id = this.internKey();
    if (id !== NONE) {
      this.#internedHost = host;
      this.#internedPort = port;
      this.#internedId = id;
      this.#internedAge = this.counters.recycled;
    }
    return id;
  }

  /** The id stays what it is until as many `release` as `hold` were called. */
  hold(id: number): void {
    assert(id >= 0 && id < this.counters.peers, "hold of an id that is no peer");
    if (this.#facts[id * FACTS + HOLDERS]!++ === 0) this.#unlink(id);
  }

  release(id: number): void {
    assert(this.#facts[id * FACTS + HOLDERS]! > 0, "release of an address that nobody holds");
    if (--this.#facts[id * FACTS + HOLDERS]! === 0) this.#link(id);
  }

  /** Literal address, IPv6 without brackets, with its zone when it has one. */
  host(id: number): string {
    const known = this.#hosts[id];
    if (known !== undefined) return known;
    const host = formatIp(this.#bytes, id * ADDRESS_BYTES, this.#words[id * ADDRESS_WORDS + SCOPE_WORD]!);
    this.#hosts[id] = host;
    return host;
  }

  port(id: number): number {
    const at = id * ADDRESS_BYTES + PORT_BYTE;
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  /** The address of ours that the peer asked, "::" when unknown. */
  localHost(id: number): string {
    return formatIp(this.#bytes, id * ADDRESS_BYTES + LOCAL_BYTE);
  }

  /** "203.0.113.7:4711" or "[2001:db8::1]:4711". */
  format(id: number): string {
    return formatHostPort(this.host(id), this.port(id));
  }

  /** A byte of the socket's own about this peer; 0 when the id is given to another address. */
  mark(id: number): number {
    return this.#facts[id * FACTS + MARK]!;
  }

  setMark(id: number, mark: number): void {
    this.#facts[id * FACTS + MARK] = mark;
  }

  #writeKey(host: string, port: number): void {
    this.key.fill(0);
    assert(parseIp(host, sharedKeyBytes, 0), `"${host}" is not a literal IP address`);
    sharedKeyBytes[PORT_BYTE] = port >>> 8;
    sharedKeyBytes[PORT_BYTE + 1] = port & 0xff;
    this.key[SCOPE_WORD] = ipScope(host);
  }

  #equals(id: number): boolean {
    const words = this.#words;
    const key = this.key;
    const at = id * ADDRESS_WORDS;
    for (let i = 0; i < ADDRESS_WORDS; i++) if (words[at + i] !== key[i]) return false;
    return true;
  }

  #hash(): number {
    const key = this.key;
    let hash = this.#seed;
    for (let i = 0; i < ADDRESS_WORDS; i++) {
      hash = Math.imul(hash ^ key[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x735a2d97);
    return hash ^ (hash >>> 15);
  }

  #find(hash: number): number {
    const mask = this.#index.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const id = this.#index[at]! - 1;
      if (id < 0) return NONE;
      if (this.#facts[id * FACTS + HASH] === hash && this.#equals(id)) return id;
    }
  }

  #findAnyLocal(): number {
    const { key } = this;
    for (let i = LOCAL_WORD; i < ADDRESS_WORDS; i++) {
      putAside[i - LOCAL_WORD] = key[i]!;
      key[i] = 0;
    }
    const id = this.#find(this.#hash());
    if (id === NONE) key.set(putAside, LOCAL_WORD);
    return id;
  }

  #isAnyLocal(words: Uint32Array, at: number): boolean {
    return words[at + 9] === 0 && words[at + 8] === 0 && words[at + 7] === 0 && words[at + 6] === 0;
  }

  #insert(hash: number): number {
    const { counters } = this;
    let id = counters.peers;
    if (id < this.peersMax) {
      if (id * FACTS === this.#facts.length) this.#grow(Math.min(id * 2, this.peersMax));
      counters.peers++;
    } else {
      id = this.#oldest;
      if (id === NONE || this.#facts[id * FACTS + HEARD] === this.#turn) {
        counters.full++;
        return NONE;
      }
      counters.recycled++;
      this.#unlink(id);
      this.#forget(id);
      if (this.#isAnyLocal(this.#words, id * ADDRESS_WORDS)) this.#anyLocal--;
    }
    if (this.#isAnyLocal(this.key, 0)) this.#anyLocal++;
    this.#words.set(this.key, id * ADDRESS_WORDS);
    this.#facts[id * FACTS + HASH] = hash;
    this.#facts[id * FACTS + MARK] = 0;
    this.#hosts[id] = undefined;
    this.#place(id);
    this.#link(id);
    this.#facts[id * FACTS + HEARD] = this.#turn;
    this.#last = id;
    return id;
  }

  #touch(id: number): void {
    this.#last = id;
    if (this.#facts[id * FACTS + HEARD] === this.#turn) return;
    this.#facts[id * FACTS + HEARD] = this.#turn;
    if (this.#facts[id * FACTS + HOLDERS] !== 0) return;
    this.#unlink(id);
    this.#link(id);
  }

  #place(id: number): void {
    const mask = this.#index.length - 1;
    let at = this.#facts[id * FACTS + HASH]! & mask;
    while (this.#index[at] !== 0) at = (at + 1) & mask;
    this.#index[at] = id + 1;
  }

  /** Takes an id out of the index and moves those behind it up, so that no tombstones gather. */
  #forget(id: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let hole = this.#facts[id * FACTS + HASH]! & mask;
    while (index[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      const home = this.#facts[(index[at]! - 1) * FACTS + HASH]! & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      index[hole] = index[at]!;
      hole = at;
    }
    index[hole] = 0;
    if (this.#last === id) this.#last = NONE;
  }

  #link(id: number): void {
    this.#facts[id * FACTS + OLDER] = this.#newest;
    this.#facts[id * FACTS + NEWER] = NONE;
    if (this.#newest === NONE) this.#oldest = id;
    else this.#facts[this.#newest * FACTS + NEWER] = id;
    this.#newest = id;
  }

  #unlink(id: number): void {
    const older = this.#facts[id * FACTS + OLDER]!;
    const newer = this.#facts[id * FACTS + NEWER]!;
    if (older === NONE) this.#oldest = newer;
    else this.#facts[older * FACTS + NEWER] = newer;
    if (newer === NONE) this.#newest = older;
    else this.#facts[newer * FACTS + OLDER] = older;
  }

  #grow(capacity: number): void {
    const words = new Uint32Array(capacity * ADDRESS_WORDS);
    words.set(this.#words);
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer);
    const facts = new Int32Array(capacity * FACTS);
    facts.set(this.#facts);
    this.#facts = facts;
    this.#index = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
    for (let id = 0; id < this.counters.peers; id++) this.#place(id);
  }
}
