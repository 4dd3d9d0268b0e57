/**
 * The loops over bytes that TypeScript is too slow for, in WebAssembly with vector instructions, and the memory they work in.
 *
 *   memory   │ nothing │ tables │ regions taken by slabs, sums, … │ never touched, never resident │
 *
 * The memory is fixed in size, because growing it would move every view; what is not used takes no room. Whoever finds it full works without kernels,
 * in TypeScript on memory of its own, with the same result. One set a thread.
 */
import { assert } from "../base/assert.ts";
import { Region } from "../base/region.ts";
import type { PageSource } from "../base/slots.ts";
import type { Bytes } from "../base/units.ts";
import { assemble, FunctionBody } from "./assembler.ts";
import { writeCbcRow } from "./cbc.ts";
import { fillTailMask, TAIL_MASK_BYTES, writeCfbRow, writeXor } from "./cfb.ts";
import { CASTAGNOLI, CRC_TABLE_BYTES, fillCrc32, ISO_3309, writeCrc32 } from "./crc32.ts";
import { writeSum16 } from "./internet-sum.ts";
import { fillMd5, MD5_TABLE_BYTES, writeMd5 } from "./md5.ts";
import { writeParity } from "./parity.ts";
import { SPARSE_CASTAGNOLI, SPARSE_ISO_3309 } from "./sparse-crc32.ts";
import { webAssembly } from "./web-assembly.ts";

/** Limit: bytes of the memory, in pages of 64 KiB. */
const PAGES = 8192;
const PAGE_BYTES = 65_536;
/** The first bytes are left free, because kernels may read a little before what they are given. */
const RESERVED_BYTES = 1024;
const ALIGNMENT = 64;
export const SCRATCH_BYTES: Bytes = 131_072;

/** What the module exports; all addresses are of the kernels' memory, and ranges lie in it. */
export interface KernelFunctions {
  /** CRC-32 of memory[start…end), 1…2048 bytes, as an int32. */
  crc32(start: number, end: number): number;
  /** The same with Castagnoli's polynomial: CRC-32C. */
  crc32c(start: number, end: number): number;
  /** See cfb.ts. */
  cfbRow(registers: number, lanes: number, count: number): number;
  /** See cfb.ts. */
  xor(at: number, end: number, keystream: number): void;
  /** See cbc.ts. */
  cbcRow(registers: number, lanes: number, count: number): number;
  /** See md5.ts. */
  md5(lanes: number, blocks: number): void;
  /** See internet-sum.ts. */
  sum16(start: number, end: number): number;
  /** See parity.ts; the name says to how many rows. */
  parity1(start: number, end: number, sums: number, tables: number): void;
  parity2(start: number, end: number, sums: number, tables: number): void;
  parity3(start: number, end: number, sums: number, tables: number): void;
  parity4(start: number, end: number, sums: number, tables: number): void;
  /** Moves `length` bytes; the ranges may overlap. */
  copy(to: number, from: number, length: number): void;
  fill(at: number, byte: number, length: number): void;
}

export class Kernels {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly buffer: ArrayBuffer;
  readonly run: KernelFunctions;
  /** SCRATCH_BYTES for whoever is running: nothing in it outlives a call. */
  readonly scratch: number;
  /** Regions that were given back, by their size. */
  readonly #free = new Map<Bytes, number[]>();
  #next = RESERVED_BYTES;
  /** Times a region was refused because the memory was full. */
  refused = 0;

  /** `relaxed`: with relaxed SIMD. @throws WebAssembly.CompileError where its instructions are not known */
  constructor(relaxed: boolean) {
    const memory = new webAssembly.Memory({ initial: PAGES, maximum: PAGES });
    this.buffer = memory.buffer;
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    const crcTables = this.take(CRC_TABLE_BYTES);
    const crc32cTables = this.take(CRC_TABLE_BYTES);
    const tailMask = this.take(TAIL_MASK_BYTES);
    const md5Table = this.take(MD5_TABLE_BYTES);
    this.scratch = this.take(SCRATCH_BYTES);
    fillCrc32(this.view, crcTables, ISO_3309);
    fillCrc32(this.view, crc32cTables, CASTAGNOLI);
    fillMd5(this.view, md5Table);
    fillTailMask(this.bytes, tailMask);
    const functions = [
      written("crc32", 2, true, (f) => writeCrc32(f, crcTables, relaxed, SPARSE_ISO_3309)),
      written("crc32c", 2, true, (f) => writeCrc32(f, crc32cTables, relaxed, SPARSE_CASTAGNOLI)),
      written("cfbRow", 3, true, (f) => writeCfbRow(f, tailMask)),
      written("xor", 3, false, (f) => writeXor(f, tailMask)),
      written("cbcRow", 3, true, (f) => writeCbcRow(f)),
      written("md5", 2, false, (f) => writeMd5(f, md5Table)),
      written("sum16", 2, true, (f) => writeSum16(f, tailMask)),
      ...[1, 2, 3, 4].map((rows) => written(`parity${rows}`, 4, false, (f) => writeParity(f, rows, tailMask, relaxed))),
      written("copy", 3, false, (f) => f.get(0).get(1).get(2).copy()),
      written("fill", 3, false, (f) => f.get(0).get(1).get(2).fill()),
    ];
    const module = new webAssembly.Module(assemble(functions, PAGES));
    this.run = new webAssembly.Instance(module, { env: { memory } }).exports as KernelFunctions;
  }

  /** Address of a region of `bytes` bytes, aligned to 64, or −1 when the memory is full. Its content is whatever was left there. */
  take(bytes: Bytes): number {
    const size = rounded(bytes);
    const again = this.#free.get(size)?.pop();
    if (again !== undefined) return again;
    if (this.#next + size > PAGES * PAGE_BYTES - RESERVED_BYTES) {
      this.refused++;
      return -1;
    }
    const at = this.#next;
    this.#next += size;
    return at;
  }

  /** Gives a region back, of the size it was taken with. */
  give(at: number, bytes: Bytes): void {
    assert(at >= RESERVED_BYTES && at + bytes <= this.#next, "a region that was taken");
    const size = rounded(bytes);
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [at]);
    else list.push(at);
  }
}

function written(name: string, parameters: number, result: boolean, write: (f: FunctionBody) => void): FunctionBody {
  const f = new FunctionBody(name, parameters, result);
  write(f);
  return f;
}

function rounded(bytes: Bytes): Bytes {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

let made: Kernels | undefined;
let impossible = false;

/** The kernels of this thread; undefined where WebAssembly lacks vector instructions. */
export function kernels(): Kernels | undefined {
  if (made === undefined && !impossible) {
    for (const relaxed of [true, false]) {
      try {
        made = new Kernels(relaxed);
        break;
      } catch (error) {
        // Instructions that are not known here; the next set does with fewer.
        if ((error as Error).name !== "CompileError") throw error;
      }
    }
    impossible = made === undefined;
  }
  return made;
}

/** Regions that nobody holds any more come back by themselves. */
const abandoned = new FinalizationRegistry<Held>(({ set, at, bytes }) => set.give(at, bytes));

interface Held {
  readonly set: Kernels;
  readonly at: number;
  readonly bytes: Bytes;
}

/** `bytes` bytes in the kernels' memory, as long as the region is held; undefined where there is no room in it or no kernels. */
export function takeInside(bytes: Bytes, set = kernels()): Region | undefined {
  const at = set?.take(bytes) ?? -1;
  if (set === undefined || at < 0) return undefined;
  const region = new Region(set.bytes, set.view, at, bytes);
  abandoned.register(region, { set, at, bytes }, region);
  return region;
}

/** As `takeInside`, but elsewhere if need be. */
export function takeRegion(bytes: Bytes): Region {
  return takeInside(bytes) ?? Region.of(new Uint8Array(bytes));
}

/** Gives back at once what `takeInside` or `takeRegion` answered; it must not be used any more. */
export function giveRegion(region: Region): void {
  if (isInside(region.bytes) && abandoned.unregister(region)) made!.give(region.at, region.length);
}

/** Slots whose pages lie in the kernels' memory as long as there is room in it. */
export const kernelPages: PageSource = { take: takeRegion, give: giveRegion };

/** The array lies in the kernels' memory: places in it are addresses for them. */
export function isInside(bytes: Uint8Array): boolean {
  return made !== undefined && bytes === made.bytes;
}

/** Copies from[start…end) to into[at…) if both lie in the kernels' memory: no view is made for it. False, and nothing done, otherwise. */
export function copyInside(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): boolean {
  if (made === undefined || from !== made.bytes || into !== made.bytes) return false;
  made.run.copy(at, start, end - start);
  return true;
}
