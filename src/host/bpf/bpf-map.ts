/**
 * A map of the kernel: single entries, batches of them, or, where it was made so, its memory itself.
 *
 * Keys and values are bytes as the program has them; whoever calls knows the layout. Buffers given are read before a call returns.
 */
import { HostError } from "../../base/errors.ts";
import { Block } from "../block.ts";
import { ENOENT, ENOSPC } from "../errno.ts";
import type { Address } from "../sys.ts";
import { type Bpf, cString } from "./bpf.ts";
import * as abi from "./bpf-abi.ts";

export interface MapShape {
  readonly name: string;
  readonly type: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entries: number;
  readonly flags: number;
}

export class BpfMap {
  readonly bpf: Bpf;
  readonly fd: number;
  readonly shape: MapShape;
  readonly #key: Block;
  readonly #value: Block;
  #memory: { readonly bytes: Uint8Array<ArrayBuffer>; readonly address: Address } | undefined;

  private constructor(bpf: Bpf, fd: number, shape: MapShape) {
    this.bpf = bpf;
    this.fd = fd;
    this.shape = shape;
    this.#key = new Block(bpf.sys, Math.max(8, shape.keyBytes));
    this.#value = new Block(bpf.sys, Math.max(8, shape.valueBytes));
  }

  /** @throws HostError */
  static create(bpf: Bpf, shape: MapShape): BpfMap {
    const attr = bpf.attr().u32(0, shape.type).u32(4, shape.keyBytes).u32(8, shape.valueBytes).u32(12, shape.entries).u32(16, shape.flags);
    const name = Buffer.from(shape.name.slice(0, 15));
    for (let i = 0; i < name.length; i += 4) attr.u32(28 + i, Buffer.concat([name.subarray(i, i + 4), Buffer.alloc(4)]).readUInt32LE());
    return new BpfMap(bpf, bpf.call(abi.BPF_MAP_CREATE, `map ${shape.name} of ${shape.entries} entries`), shape);
  }

  /** The one that is pinned there, undefined when there is none or it has another shape. */
  static pinned(bpf: Bpf, path: string, shape: MapShape): BpfMap | undefined {
    const name = cString(bpf.sys, path);
    bpf.attr().u64(0, name.address);
    const fd = bpf.try(abi.BPF_OBJ_GET);
    if (fd < 0) return undefined;
    const found = shapeOf(bpf, fd, shape.name);
    const same = (["type", "keyBytes", "valueBytes", "entries", "flags"] as const).every((field) => found[field] === shape[field]);
    if (same) return new BpfMap(bpf, fd, shape);
    bpf.sys.close(fd);
    return undefined;
  }

  /** The one that is pinned there whatever its size; undefined when there is none. */
  static open(bpf: Bpf, path: string, name: string): BpfMap | undefined {
    const text = cString(bpf.sys, path);
    bpf.attr().u64(0, text.address);
    const fd = bpf.try(abi.BPF_OBJ_GET);
    return fd < 0 ? undefined : new BpfMap(bpf, fd, shapeOf(bpf, fd, name));
  }

  /** @throws HostError: EEXIST for BPF_NOEXIST, E2BIG for a full map */
  update(key: Uint8Array, value: Uint8Array, flags = abi.BPF_ANY): void {
    if (!this.insert(key, value, flags)) throw this.bpf.error(`map ${this.shape.name}`);
  }

  /** Whether it could be put there. */
  insert(key: Uint8Array, value: Uint8Array, flags: number): boolean {
    this.#key.bytes.set(key);
    this.#value.bytes.set(value);
    this.#element().u64(16, this.#value.address).u64(24, flags);
    return this.bpf.try(abi.BPF_MAP_UPDATE_ELEM, 32) === 0;
  }

  /** The value, valid until the next call; undefined when there is none. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#key.bytes.set(key);
    this.#element().u64(16, this.#value.address);
    return this.bpf.try(abi.BPF_MAP_LOOKUP_ELEM, 32) < 0 ? undefined : this.#value.bytes.subarray(0, this.shape.valueBytes);
  }

  /** Whether it was there. */
  delete(key: Uint8Array): boolean {
    this.#key.bytes.set(key);
    this.#element();
    return this.bpf.try(abi.BPF_MAP_DELETE_ELEM, 32) === 0;
  }

  /** `count` keys and values, one behind the other. @throws HostError; those before the one that failed are in */
  updateBatch(keys: Block, values: Block, count: number): void {
    if (count === 0) return;
    this.bpf.attr().u64(16, keys.address).u64(24, values.address).u32(32, count).u32(36, this.fd);
    this.bpf.call(abi.BPF_MAP_UPDATE_BATCH, `map ${this.shape.name}, batch of ${count}`, BATCH_ATTR_BYTES);
  }

  /** Deletes those that are there; answers how many of the keys were. */
  deleteBatch(keys: Block, count: number): number {
    let done = 0;
    let deleted = 0;
    while (done < count) {
      const attr = this.bpf
        .attr()
        .u64(16, keys.address + done * this.shape.keyBytes)
        .u32(32, count - done)
        .u32(36, this.fd);
      const result = this.bpf.try(abi.BPF_MAP_DELETE_BATCH, BATCH_ATTR_BYTES);
      if (result < 0 && this.bpf.sys.errno() !== ENOENT) throw this.bpf.error(`map ${this.shape.name}`);
      deleted += attr.read32(32);
      done += attr.read32(32) + (result < 0 ? 1 : 0);
    }
    return deleted;
  }

  /** The memory of an array that was made with BPF_F_MMAPABLE; entries are a multiple of 8 bytes apart. @throws HostError */
  memory(): Uint8Array<ArrayBuffer> {
    if (this.#memory === undefined) {
      const bytes = Math.ceil((((this.shape.valueBytes + 7) & ~7) * this.shape.entries) / PAGE) * PAGE;
      this.#memory = mapPages(this.bpf, this.fd, bytes, PROT_READ | PROT_WRITE, 0);
    }
    return this.#memory.bytes;
  }

  freeze(): void {
    this.bpf.attr().u32(0, this.fd);
    this.bpf.call(abi.BPF_MAP_FREEZE, `map ${this.shape.name}`, 4);
  }

  /** @throws HostError: EEXIST when something is pinned there */
  pin(path: string): void {
    const name = cString(this.bpf.sys, path);
    this.bpf.attr().u64(0, name.address).u32(8, this.fd);
    this.bpf.call(abi.BPF_OBJ_PIN, path);
  }

  /** Walks over all entries in batches. */
  walk(batch = BATCH): MapWalk {
    return new MapWalk(this, batch);
  }

  close(): void {
    if (this.#memory !== undefined) this.bpf.sys.munmap(this.#memory.address, this.#memory.bytes.length);
    this.#memory = undefined;
    this.bpf.sys.close(this.fd);
  }

  #element(): ReturnType<Bpf["attr"]> {
    return this.bpf.attr().u32(0, this.fd).u64(8, this.#key.address);
  }
}

/** Reads a hash map in batches; entries that come and go in the meantime may be missed or, seldom, be seen twice. */
export class MapWalk {
  readonly keys: Block;
  readonly values: Block;
  readonly #map: BpfMap;
  readonly #batch: number;
  readonly #cursor: Block;
  #begun = false;
  done = false;

  constructor(map: BpfMap, batch: number) {
    const { sys } = map.bpf;
    this.#map = map;
    this.#batch = Math.min(batch, Math.max(map.shape.entries, SMALLEST_BATCH));
    this.keys = new Block(sys, this.#batch * map.shape.keyBytes);
    this.values = new Block(sys, this.#batch * map.shape.valueBytes);
    this.#cursor = new Block(sys, Math.max(8, map.shape.keyBytes));
  }

  /** The next entries into `keys` and `values`; how many there are. @throws HostError */
  next(): number {
    if (this.done) return 0;
    const { bpf, shape, fd } = this.#map;
    const attr = bpf.attr();
    if (this.#begun) attr.u64(0, this.#cursor.address);
    attr.u64(8, this.#cursor.address).u64(16, this.keys.address).u64(24, this.values.address).u32(32, this.#batch).u32(36, fd);
    const result = bpf.try(abi.BPF_MAP_LOOKUP_BATCH, BATCH_ATTR_BYTES);
    this.#begun = true;
    if (result >= 0) return attr.read32(32);
    const errno = bpf.sys.errno();
    if (errno === ENOENT) {
      this.done = true;
      return attr.read32(32);
    }
    // A bucket held more than the batch: it cannot, at the load factor of a hash map.
    if (errno === ENOSPC) throw new HostError("ENOSPC", "bpf", `map ${shape.name}: a bucket has more than ${this.#batch} entries`);
    throw bpf.error(`map ${shape.name}`);
  }

  /** From the beginning. */
  restart(): void {
    this.#begun = false;
    this.done = false;
  }
}

/** Pages of a descriptor as a buffer. @throws HostError */
export function mapPages(
  bpf: Bpf,
  fd: number,
  bytes: number,
  protection: number,
  offset: number,
): { bytes: Uint8Array<ArrayBuffer>; address: Address } {
  const address = bpf.sys.mmap(0, bytes, protection, MAP_SHARED, fd, offset);
  if (address < 0) throw bpf.error("mmap of a map");
  return { bytes: new Uint8Array(bpf.sys.mapped(address, bytes)), address };
}

/** struct bpf_map_info: type u32 · id · key_size · value_size · max_entries · map_flags … */
function shapeOf(bpf: Bpf, fd: number, name: string): MapShape {
  const info = new Block(bpf.sys, 128);
  bpf.attr().u32(0, fd).u32(4, info.bytes.length).u64(8, info.address);
  bpf.call(abi.BPF_OBJ_GET_INFO_BY_FD, `map ${name}`, 16);
  const [type, , keyBytes, valueBytes, entries, flags] = info.words;
  return { name, type: type!, keyBytes: keyBytes!, valueBytes: valueBytes!, entries: entries!, flags: flags! };
}

export const PROT_READ = 1;
export const PROT_WRITE = 2;
const MAP_SHARED = 1;
export const PAGE = 4096;
const BATCH = 16_384;
const SMALLEST_BATCH = 64;
const BATCH_ATTR_BYTES = 56;
