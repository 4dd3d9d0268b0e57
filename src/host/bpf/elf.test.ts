import assert from "node:assert/strict";
import { test } from "node:test";
import { linkProgram } from "./bpf-linker.ts";
import { readObject } from "./bpffs.ts";
import { parseElf, sectionNamed } from "./elf.ts";

const file = readObject("forward");
const elf = parseElf(file);

test("the delivered object has its programs, maps and no types", () => {
  for (const name of ["xdp", "xdp/open", "xdp/icmp", "maps", "license", ".rodata", ".data", ".bss"])
    assert.ok(sectionNamed(elf, name) >= 0, name);
  assert.equal(sectionNamed(elf, ".BTF"), -1);
  assert.ok(elf.symbols.some(({ name, section }) => name === "flows4" && section === sectionNamed(elf, "maps")));
});

test("a program gets the functions that it calls and no others, and its calls lead to their beginnings", () => {
  const { code, references } = linkProgram(elf, "xdp");
  const main = elf.sections[sectionNamed(elf, "xdp")]!.bytes.length;
  const text = elf.sections[sectionNamed(elf, ".text")]!.bytes.length;
  assert.ok(code.length > main && code.length < main + text);
  const view = new DataView(code.buffer);
  let calls = 0;
  const starts = new Set<number>([main]);
  // A function ends with exit (0x95) or a jump (0x05); what follows may be the next one's beginning.
  for (let at = main; at < code.length; at += 8) if (code[at] === 0x95 || code[at] === 0x05) starts.add(at + 8);
  for (let at = 0; at < code.length; at += 8) {
    if (code[at] !== 0x85 || code[at + 1]! >> 4 !== 1) continue;
    calls++;
    const target = at + 8 * (1 + view.getInt32(at + 4, true));
    assert.ok(starts.has(target), `call at ${at} leads to ${target}`);
  }
  assert.ok(calls > 3);
  for (const { at } of references) assert.equal(code[at], 0x18, "a 64-bit load");
});

test("what is no object file is said, however it is damaged", () => {
  assert.throws(() => parseElf(new Uint8Array(100)), /not an ELF file/);
  assert.throws(() => parseElf(file.subarray(0, file.length - 2000)), /cut off/);
  const other = Uint8Array.from(file);
  other[18] = 62;
  assert.throws(() => parseElf(other), /not an object file for BPF/);
});
