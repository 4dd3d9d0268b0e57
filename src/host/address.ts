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
const PEERS_AT_FIRST = 16;
const NONE = -1;

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
  /** Fill it with a record, then call `internKey`. */
  readonly key = new Uint32Array(ADDRESS_WORDS);
  readonly #keyBytes = new Uint8Array(this.key.buffer);
  readonly #seed: number;
  #words = new Uint32Array(0);
  #bytes = new Uint8Array(0);
  #index = new Int32Array(0);
  #hashes = new Int32Array(0);
  #holders = new Int32Array(0);
  #heard = new Int32Array(0);
  #marks = new Uint8Array(0);
  #older = new Int32Array(0);
  #newer = new Int32Array(0);
  #oldest = NONE;
  #newest = NONE;
  #last = NONE;
  #turn = 1;
  /** Records without a local address, and room to put one aside. */
  #anyLocal = 0;
  readonly #local = new Uint32Array(ADDRESS_WORDS - LOCAL_WORD);
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
    if (this.#holders[id]!++ === 0) this.#unlink(id);
  }

  release(id: number): void {
    assert(this.#holders[id]! > 0, "release of an address that nobody holds");
    if (--this.#holders[id]! === 0) this.#link(id);
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
    return this.#marks[id]!;
  }

  setMark(id: number, mark: number): void {
    this.#marks[id] = mark;
  }

  #writeKey(host: string, port: number): void {
    this.key.fill(0);
    assert(parseIp(host, this.#keyBytes, 0), `"${host}" is not a literal IP address`);
    this.#keyBytes[PORT_BYTE] = port >>> 8;
    this.#keyBytes[PORT_BYTE + 1] = port & 0xff;
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
      if (this.#hashes[id] === hash && this.#equals(id)) return id;
    }
  }

  #findAnyLocal(): number {
    const { key } = this;
    for (let i = LOCAL_WORD; i < ADDRESS_WORDS; i++) {
      this.#local[i - LOCAL_WORD] = key[i]!;
      key[i] = 0;
    }
    const id = this.#find(this.#hash());
    if (id === NONE) key.set(this.#local, LOCAL_WORD);
    return id;
  }

  #isAnyLocal(words: Uint32Array, at: number): boolean {
    return words[at + 9] === 0 && words[at + 8] === 0 && words[at + 7] === 0 && words[at + 6] === 0;
  }

  #insert(hash: number): number {
    const { counters } = this;
    let id = counters.peers;
    if (id < this.peersMax) {
      if (id === this.#hashes.length) this.#grow(Math.min(id * 2, this.peersMax));
      counters.peers++;
    } else {
      id = this.#oldest;
      if (id === NONE || this.#heard[id] === this.#turn) {
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
    this.#hashes[id] = hash;
    this.#marks[id] = 0;
    this.#hosts[id] = undefined;
    this.#place(id);
    this.#link(id);
    this.#heard[id] = this.#turn;
    this.#last = id;
    return id;
  }

  #touch(id: number): void {
    this.#last = id;
    if (this.#heard[id] === this.#turn) return;
    this.#heard[id] = this.#turn;
    if (this.#holders[id] !== 0) return;
    this.#unlink(id);
    this.#link(id);
  }

  #place(id: number): void {
    const mask = this.#index.length - 1;
    let at = this.#hashes[id]! & mask;
    while (this.#index[at] !== 0) at = (at + 1) & mask;
    this.#index[at] = id + 1;
  }

  /** Takes an id out of the index and moves those behind it up, so that no tombstones gather. */
  #forget(id: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let hole = this.#hashes[id]! & mask;
    while (index[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashes[index[at]! - 1]! & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      index[hole] = index[at]!;
      hole = at;
    }
    index[hole] = 0;
    if (this.#last === id) this.#last = NONE;
  }

  #link(id: number): void {
    this.#older[id] = this.#newest;
    this.#newer[id] = NONE;
    if (this.#newest === NONE) this.#oldest = id;
    else this.#newer[this.#newest] = id;
    this.#newest = id;
  }

  #unlink(id: number): void {
    const older = this.#older[id]!;
    const newer = this.#newer[id]!;
    if (older === NONE) this.#oldest = newer;
    else this.#newer[older] = newer;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
  }

  #grow(capacity: number): void {
    const words = new Uint32Array(capacity * ADDRESS_WORDS);
    words.set(this.#words);
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer);
    this.#hashes = extended(this.#hashes, capacity);
    this.#holders = extended(this.#holders, capacity);
    this.#heard = extended(this.#heard, capacity);
    this.#older = extended(this.#older, capacity);
    this.#newer = extended(this.#newer, capacity);
    const marks = new Uint8Array(capacity);
    marks.set(this.#marks);
    this.#marks = marks;
    this.#index = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
    for (let id = 0; id < this.counters.peers; id++) this.#place(id);
  }
}

function extended(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(array);
  return longer;
}
