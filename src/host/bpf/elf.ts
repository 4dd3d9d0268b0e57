/**
 * An object file as clang writes it for BPF: sections, symbols and relocations, as far as a program without types needs them. Pure.
 *
 *   .text         functions that programs call          xdp, …   a program each
 *   maps          struct { type, key, value, entries, flags }, 5 × u32, a symbol each
 *   .data .bss .rodata   variables: each section becomes a map of one entry
 *
 * Source: System V ABI "Object Files"; the kernel's Documentation/bpf/llvm_reloc.rst.
 */

export interface Section {
  readonly name: string;
  readonly type: number;
  readonly link: number;
  readonly info: number;
  /** Of .bss: zeros. */
  readonly bytes: Uint8Array;
}

export interface ElfSymbol {
  readonly name: string;
  /** Index of its section. */
  readonly section: number;
  /** Offset in the section. */
  readonly value: number;
  readonly size: number;
  readonly type: number;
}

export interface Relocation {
  /** Of the instruction, in bytes. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
}

export interface Elf {
  readonly sections: readonly Section[];
  readonly symbols: readonly ElfSymbol[];
  /** By the index of the section they are for. */
  readonly relocations: ReadonlyMap<number, readonly Relocation[]>;
}

/** @throws Error that says what the file is not */
export function parseElf(file: Uint8Array): Elf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEADER_BYTES || view.getUint32(0) !== MAGIC) throw new Error("not an ELF file");
  if (file[4] !== CLASS64 || file[5] !== LITTLE_ENDIAN) throw new Error("not a 64-bit little-endian ELF file");
  if (view.getUint16(16, true) !== ET_REL || view.getUint16(18, true) !== EM_BPF) throw new Error("not an object file for BPF");
  const at = number64(view, 40);
  const count = view.getUint16(60, true);
  if (at + count * SECTION_BYTES > file.length) throw new Error("the ELF file is cut off");
  const raw = Array.from({ length: count }, (_, i) => readSection(view, file, at + i * SECTION_BYTES));
  const names = raw[view.getUint16(62, true)]?.bytes ?? new Uint8Array();
  const sections = raw.map(({ nameAt, ...section }) => ({ ...section, name: text(names, nameAt) }));
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const symbols = table === undefined ? [] : readSymbols(table, sections[table.link]?.bytes ?? new Uint8Array());
  const relocations = new Map(
    sections.filter(({ type }) => type === SHT_REL).map((section) => [section.info, readRelocations(section, symbols)] as const),
  );
  return { sections, symbols, relocations };
}

export function sectionNamed(elf: Elf, name: string): number {
  return elf.sections.findIndex((section) => section.name === name);
}

function readSection(view: DataView, file: Uint8Array, at: number): Omit<Section, "name"> & { nameAt: number } {
  const type = view.getUint32(at + 4, true);
  const offset = number64(view, at + 24);
  const size = number64(view, at + 32);
  if (type !== SHT_NOBITS && offset + size > file.length) throw new Error("the ELF file is cut off");
  const bytes = type === SHT_NOBITS ? new Uint8Array(size) : file.subarray(offset, offset + size);
  return { nameAt: view.getUint32(at, true), type, link: view.getUint32(at + 40, true), info: view.getUint32(at + 44, true), bytes };
}

function readSymbols({ bytes }: Section, names: Uint8Array): ElfSymbol[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / SYMBOL_BYTES) }, (_, i) => {
    const at = i * SYMBOL_BYTES;
    return {
      name: text(names, view.getUint32(at, true)),
      type: view.getUint8(at + 4) & 15,
      section: view.getUint16(at + 6, true),
      value: number64(view, at + 8),
      size: number64(view, at + 16),
    };
  });
}

function readRelocations({ bytes }: Section, symbols: readonly ElfSymbol[]): Relocation[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / RELOCATION_BYTES) }, (_, i) => {
    const at = i * RELOCATION_BYTES;
    const symbol = symbols[view.getUint32(at + 12, true)];
    if (symbol === undefined) throw new Error("a relocation of the ELF file names no symbol");
    return { offset: number64(view, at), type: view.getUint32(at + 8, true), symbol };
  });
}

function number64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function text(bytes: Uint8Array, at: number): string {
  let end = at;
  while (end < bytes.length && bytes[end] !== 0) end++;
  return Buffer.from(bytes.subarray(at, end)).toString("latin1");
}

export const R_BPF_64_64 = 1;
export const R_BPF_64_32 = 10;
const MAGIC = 0x7f454c46;
const CLASS64 = 2;
const LITTLE_ENDIAN = 1;
const ET_REL = 1;
const EM_BPF = 247;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_REL = 9;
const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
