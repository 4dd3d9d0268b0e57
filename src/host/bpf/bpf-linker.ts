/**
 * Code of one program out of an object: its section, and behind it those functions of .text that it calls, themselves or through others.
 *
 *   xdp     call → .text + 0x40 ─┐        xdp · function at 0x40 · function that that one calls …      calls put right
 *   .text   0x00 …  0x40 … ◄─────┘
 *
 * Functions that nobody calls must stay away: the verifier refuses what cannot be reached.
 *
 * Source: RFC 9669 section 4.3.1 (calls), the kernel's Documentation/bpf/llvm_reloc.rst.
 */
import { BPF_PSEUDO_CALL } from "./bpf-abi.ts";
import { type Elf, type ElfSymbol, R_BPF_64_32, R_BPF_64_64, sectionNamed } from "./elf.ts";

/** An instruction that loads the address of what the symbol names. */
export interface Reference {
  /** In bytes from the beginning of the code. */
  readonly at: number;
  readonly symbol: ElfSymbol;
}

export interface LinkedCode {
  readonly code: Uint8Array;
  readonly references: readonly Reference[];
}

interface Piece {
  readonly section: number;
  readonly from: number;
  readonly bytes: Uint8Array;
  /** In the code. */
  readonly at: number;
}

/** @throws Error when the section is not there or calls what is not there */
export function linkProgram(elf: Elf, name: string): LinkedCode {
  const main = sectionNamed(elf, name);
  if (main < 0) throw new Error(`the object has no program ${name}`);
  const text = sectionNamed(elf, ".text");
  const pieces: Piece[] = [{ section: main, from: 0, bytes: elf.sections[main]!.bytes, at: 0 }];
  const references: Reference[] = [];
  const calls: { at: number; target: number }[] = [];
  let length = pieces[0]!.bytes.length;
  // What is found is appended, and looked through in its turn.
  for (const piece of pieces) {
    for (const { at, symbol } of referencesOf(elf, piece)) references.push({ at: at - piece.from + piece.at, symbol });
    for (const { at, target } of callsOf(elf, piece)) {
      calls.push({ at: at - piece.from + piece.at, target });
      if (pieces.some(({ section, from }) => section === text && from === target)) continue;
      const bytes = functionAt(elf, text, target);
      pieces.push({ section: text, from: target, bytes, at: length });
      length += bytes.length;
    }
  }
  const code = new Uint8Array(length);
  for (const { bytes, at } of pieces) code.set(bytes, at);
  const view = new DataView(code.buffer);
  for (const { at, target } of calls) {
    const { at: begins } = pieces.find(({ section, from }) => section === text && from === target)!;
    view.setInt32(at + 4, (begins - at) / INSTRUCTION_BYTES - 1, true);
  }
  return { code, references };
}

function referencesOf(elf: Elf, { section, from, bytes }: Piece): Reference[] {
  return (elf.relocations.get(section) ?? [])
    .filter(({ offset, type }) => type === R_BPF_64_64 && offset >= from && offset < from + bytes.length)
    .map(({ offset, symbol }) => ({ at: offset, symbol }));
}

/** Calls of functions; `at` in the section, `target` in .text. Calls inside .text have their distance already. */
function* callsOf(elf: Elf, { section, from, bytes }: Piece): Generator<{ at: number; target: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const relocations = new Map(
    (elf.relocations.get(section) ?? []).filter(({ type }) => type === R_BPF_64_32).map((each) => [each.offset, each]),
  );
  for (let i = 0; i < bytes.length; i += INSTRUCTION_BYTES) {
    if (bytes[i] !== OP_CALL || bytes[i + 1]! >> 4 !== BPF_PSEUDO_CALL) continue;
    const distance = view.getInt32(i + 4, true);
    const relocation = relocations.get(from + i);
    // A relocation by the section's symbol has the function's place in the instruction, less one.
    if (relocation === undefined) yield { at: from + i, target: from + i + (distance + 1) * INSTRUCTION_BYTES };
    else
      yield {
        at: from + i,
        target: relocation.symbol.value + (relocation.symbol.type === STT_SECTION ? (distance + 1) * INSTRUCTION_BYTES : 0),
      };
  }
}

function functionAt(elf: Elf, text: number, at: number): Uint8Array {
  const found = elf.symbols.find(({ section, value, type }) => section === text && value === at && type === STT_FUNC);
  if (found === undefined) throw new Error(`the object calls a function at ${at} of .text that is not there`);
  return elf.sections[text]!.bytes.subarray(at, at + found.size);
}

const INSTRUCTION_BYTES = 8;
const OP_CALL = 0x85;
const STT_FUNC = 2;
const STT_SECTION = 3;
