/**
 * An object file with its maps in the kernel: what is left to load a program of it.
 *
 *   ELF ─► maps created, or those that are there already ─► code copied, map numbers and calls put in ─► BPF_PROG_LOAD (verifier, JIT)
 *
 * Functions of .text go behind the program that calls them. Sections .data, .bss and .rodata are maps of one entry called as the section without its dot;
 * constants can be given before the program is loaded, and the verifier knows them.
 */
import { HostError } from "../../base/errors.ts";
import { Block } from "../block.ts";
import { EAGAIN } from "../errno.ts";
import { type Bpf, cString } from "./bpf.ts";
import * as abi from "./bpf-abi.ts";
import { linkProgram } from "./bpf-linker.ts";
import { BpfMap, type MapShape } from "./bpf-map.ts";
import { BpfProgram } from "./bpf-program.ts";
import { type Elf, type ElfSymbol, parseElf, sectionNamed } from "./elf.ts";

export interface ObjectOptions {
  /** Entries of maps whose size the object leaves open. */
  readonly entries?: Readonly<Record<string, number>>;
  /** 32-bit numbers of section .rodata by their symbols. */
  readonly constants?: Readonly<Record<string, number>>;
  /** A map to be used instead of a new one: it must have this shape. */
  readonly map?: (shape: MapShape) => BpfMap | undefined;
}

export class BpfObject {
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly #bpf: Bpf;
  readonly #elf: Elf;
  readonly #license: string;

  /** @throws Error when the file is no such object; HostError when the kernel refuses */
  constructor(bpf: Bpf, file: Uint8Array, options: ObjectOptions = {}) {
    this.#bpf = bpf;
    this.#elf = parseElf(file);
    this.#license = Buffer.from(sectionBytes(this.#elf, "license")).toString("latin1").replace(/\0.*$/s, "");
    const maps = new Map<string, BpfMap>();
    this.maps = maps;
    try {
      for (const shape of mapShapes(this.#elf, options.entries ?? {}))
        maps.set(shape.name, options.map?.(shape) ?? BpfMap.create(bpf, shape));
      for (const name of VARIABLES) this.#variables(maps, name, options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  map(name: string): BpfMap {
    const map = this.maps.get(name);
    if (map === undefined) throw new Error(`the object has no map ${name}`);
    return map;
  }

  /** Loads the program of a section. @throws HostError with the end of what the verifier said */
  load(section: string): BpfProgram {
    const { code, references } = linkProgram(this.#elf, section);
    const block = new Block(this.#bpf.sys, code.length);
    block.bytes.set(code);
    for (const { at, symbol } of references) this.#pointTo(block, at, symbol);
    return new BpfProgram(this.#bpf, this.#verify(block, code.length / INSTRUCTION_BYTES, section), section);
  }

  close(): void {
    for (const map of this.maps.values()) map.close();
  }

  #variables(maps: Map<string, BpfMap>, name: string, { constants = {}, map }: ObjectOptions): void {
    const at = sectionNamed(this.#elf, `.${name}`);
    const { length } = this.#elf.sections[at]?.bytes ?? [];
    if (length === undefined || length === 0) return;
    const flags = abi.BPF_F_MMAPABLE | (name === "rodata" ? abi.BPF_F_RDONLY_PROG : 0);
    const shape = { name, type: abi.BPF_MAP_TYPE_ARRAY, keyBytes: 4, valueBytes: length, entries: 1, flags };
    // What is constant belongs to the program, not to what goes on when it is replaced.
    const existing = name === "rodata" ? undefined : map?.(shape);
    const created = existing ?? BpfMap.create(this.#bpf, shape);
    maps.set(name, created);
    if (existing !== undefined) return;
    const bytes = Buffer.from(this.#elf.sections[at]!.bytes);
    if (name === "rodata") {
      for (const [symbol, value] of Object.entries(constants)) {
        const found = this.#elf.symbols.find((candidate) => candidate.name === symbol && candidate.section === at);
        if (found === undefined) throw new Error(`the object has no constant ${symbol}`);
        bytes.writeUInt32LE(value, found.value);
      }
    }
    created.update(ZERO_KEY, bytes);
    if (name === "rodata") created.freeze();
  }

  /** A 64-bit immediate load becomes a map, or the address of a variable in one. */
  #pointTo(code: Block, at: number, symbol: ElfSymbol): void {
    const section = this.#elf.sections[symbol.section]?.name ?? "";
    const direct = section === "maps";
    const map = this.map(direct ? symbol.name : section.slice(1));
    const registers = code.view.getUint8(at + 1) & 0x0f;
    code.view.setUint8(at + 1, registers | ((direct ? abi.BPF_PSEUDO_MAP_FD : abi.BPF_PSEUDO_MAP_VALUE) << 4));
    const addend = code.view.getUint32(at + 4, true);
    code.view.setUint32(at + 4, map.fd, true);
    code.view.setUint32(at + INSTRUCTION_BYTES + 4, direct ? 0 : symbol.value + addend, true);
  }

  /** Without the verifier's log first: writing it takes longer than all else. */
  #verify(code: Block, instructions: number, name: string): number {
    const license = cString(this.#bpf.sys, this.#license);
    const title = Buffer.alloc(16);
    title.write(name.replaceAll(/\W/g, "_").slice(0, 15));
    const load = (log: Block | undefined): number => {
      const attr = this.#bpf.attr().u32(0, abi.BPF_PROG_TYPE_XDP).u32(4, instructions).u64(8, code.address).u64(16, license.address);
      if (log !== undefined) attr.u32(24, 1).u32(28, log.bytes.length).u64(32, log.address);
      for (let i = 0; i < 16; i += 4) attr.u32(48 + i, title.readUInt32LE(i));
      attr.u32(68, abi.BPF_XDP);
      for (let tries = LOAD_TRIES; ; tries--) {
        const fd = this.#bpf.try(abi.BPF_PROG_LOAD);
        // A signal interrupted the verifier.
        if (fd >= 0 || tries === 1 || this.#bpf.sys.errno() !== EAGAIN) return fd;
      }
    };
    const fd = load(undefined);
    if (fd >= 0) return fd;
    const error = this.#bpf.error(`program ${name}`);
    if (error.code === "EPERM") throw error;
    const log = new Block(this.#bpf.sys, LOG_BYTES);
    const again = load(log);
    if (again >= 0) return again;
    // What does not fit pushes the beginning out: the end is what counts.
    const said = Buffer.from(log.bytes.subarray(0, log.bytes.indexOf(0)))
      .toString()
      .trim()
      .split("\n")
      .slice(-LOG_LINES)
      .join(" | ");
    throw new HostError(error.code, "bpf", `program ${name}: ${said || "the kernel says nothing more"}`);
  }
}

function sectionBytes(elf: Elf, name: string): Uint8Array {
  return elf.sections[sectionNamed(elf, name)]?.bytes ?? new Uint8Array();
}

/** Section "maps": a description of 20 bytes for each symbol. */
function mapShapes(elf: Elf, entries: Readonly<Record<string, number>>): MapShape[] {
  const at = sectionNamed(elf, "maps");
  const bytes = sectionBytes(elf, "maps");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return elf.symbols
    .filter(({ section, name }) => section === at && at >= 0 && name !== "")
    .map(({ name, value }) => ({
      name,
      type: view.getUint32(value, true),
      keyBytes: view.getUint32(value + 4, true),
      valueBytes: view.getUint32(value + 8, true),
      entries: entries[name] ?? view.getUint32(value + 12, true),
      flags: view.getUint32(value + 16, true),
    }));
}

const VARIABLES = ["data", "bss", "rodata"] as const;
const INSTRUCTION_BYTES = 8;
const LOAD_TRIES = 5;
const LOG_BYTES = 1 << 20;
const LOG_LINES = 6;
const ZERO_KEY = new Uint8Array(4);
