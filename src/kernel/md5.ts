/**
 * MD5 (RFC 1321) of eight messages at once: two groups of four, a lane of every vector each.
 *
 *   lanes   address of the next block of lane 0…7 (u32 each) │ A │ B │ C │ D │ A │ B │ C │ D        a word of four lanes in a vector
 *
 * The block's 16 words of four messages lie as rows; four at a time they are turned into columns. Who calls pads messages (md5-lanes.ts).
 */
import type { FunctionBody, Local } from "./assembler.ts";

export const MD5_BLOCK_BYTES = 64;
/** Lanes of a vector, and groups of them that work side by side. */
const GROUP = 4;
export const MD5_LANES = 2 * GROUP;
/** Where the state lies behind the addresses. */
const MD5_STATE = 4 * MD5_LANES;
export const MD5_LANES_BYTES = MD5_STATE + 16 * MD5_LANES;
/** RFC 1321 section 3.3. */
export const MD5_BEGINNING = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

const STEPS = 64;
export const MD5_TABLE_BYTES = 16 * STEPS;

const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
/** Word of step i of each round: (first + i · stride) mod 16. */
const WORDS = [
  [0, 1],
  [1, 5],
  [5, 3],
  [0, 7],
] as const;

/** md5(lanes, blocks): takes the next `blocks` blocks of each lane, one at least, and moves their addresses on. `table`: see fillMd5. */
export function writeMd5(f: FunctionBody, table: number): void {
  const [lanes, blocks] = [0, 1];
  const groups = Array.from({ length: MD5_LANES / GROUP }, () => ({
    at: Array.from({ length: GROUP }, () => f.i32Local()),
    state: Array.from({ length: 4 }, () => f.v128Local()),
    before: Array.from({ length: 4 }, () => f.v128Local()),
    words: Array.from({ length: 16 }, () => f.v128Local()),
  }));
  const sum = f.v128Local();
  const addressOf = (group: number, lane: number): number => 4 * (group * GROUP + lane);
  const stateOf = (group: number, word: number): number => MD5_STATE + 16 * (group * 4 + word);
  for (const [group, { at, state }] of groups.entries()) {
    for (const [lane, local] of at.entries()) f.get(lanes).load32(addressOf(group, lane)).set(local);
    for (const [word, local] of state.entries()) f.get(lanes).loadV(stateOf(group, word)).set(local);
  }
  f.loop(() => {
    for (const { at, state, before, words } of groups) {
      for (let i = 0; i < 16; i += 4) writeColumns(f, at, words.slice(i, i + 4), before, 4 * i);
      for (const [word, local] of state.entries()) f.get(local).set(before[word]!);
    }
    // Each step waits for the one before; those of the other group fill the time.
    for (let step = 0; step < STEPS; step++) for (const { state, words } of groups) writeStep(f, step, state, words, sum, table);
    for (const { at, state, before } of groups) {
      for (const [word, local] of state.entries()) f.get(local).get(before[word]!).add32().set(local);
      for (const local of at) f.get(local).i32(MD5_BLOCK_BYTES).add().set(local);
    }
    f.get(blocks).i32(1).sub().tee(blocks);
  });
  for (const [group, { at, state }] of groups.entries()) {
    for (const [lane, local] of at.entries()) f.get(lanes).get(local).store32(addressOf(group, lane));
    for (const [word, local] of state.entries()) f.get(lanes).get(local).storeV(stateOf(group, word));
  }
}

/** Fills the MD5_TABLE_BYTES at memory[table…): a step's constant in all lanes of a vector. */
export function fillMd5(memory: DataView, table: number): void {
  for (let i = 0; i < 4 * STEPS; i++) {
    memory.setUint32(table + 4 * i, Math.floor(Math.abs(Math.sin((i >> 2) + 1)) * 2 ** 32), true);
  }
}

/** Where word 0…3 of a lane's state lies behind the lanes. */
export function md5StateAt(lane: number, word: number): number {
  return MD5_STATE + 16 * ((lane >> 2) * 4 + word) + 4 * (lane & 3);
}

/** Words 0…3 behind `offset` of the four lanes, a vector each. `spare`: four vectors of no value. */
function writeColumns(f: FunctionBody, at: readonly Local[], words: readonly Local[], spare: readonly Local[], offset: number): void {
  at.forEach((local, lane) => {
    f.get(local).loadV(offset).set(words[lane]!);
  });
  const [a, b, c, d] = words as [Local, Local, Local, Local];
  const [ab, abHigh, cd, cdHigh] = spare as [Local, Local, Local, Local];
  f.get(a).get(b).shuffle32(0, 4, 1, 5).set(ab);
  f.get(a).get(b).shuffle32(2, 6, 3, 7).set(abHigh);
  f.get(c).get(d).shuffle32(0, 4, 1, 5).set(cd);
  f.get(c).get(d).shuffle32(2, 6, 3, 7).set(cdHigh);
  f.get(ab).get(cd).shuffle32(0, 1, 4, 5).set(a);
  f.get(ab).get(cd).shuffle32(2, 3, 6, 7).set(b);
  f.get(abHigh).get(cdHigh).shuffle32(0, 1, 4, 5).set(c);
  f.get(abHigh).get(cdHigh).shuffle32(2, 3, 6, 7).set(d);
}

function writeStep(f: FunctionBody, step: number, state: readonly Local[], words: readonly Local[], sum: Local, table: number): void {
  const round = step >> 4;
  // In each step the four words of the state have moved on by one.
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => state[(i + STEPS - step) & 3]!) as [Local, Local, Local, Local];
  const [first, stride] = WORDS[round]!;
  f.get(a)
    .get(words[(first + (step & 15) * stride) & 15]!)
    .add32();
  f.i32(0)
    .loadV(table + 16 * step)
    .add32();
  if (round === 0) f.get(c).get(d).get(b).bitselect();
  else if (round === 1) f.get(b).get(c).get(d).bitselect();
  else if (round === 2) f.get(b).get(c).xorV().get(d).xorV();
  else f.get(d).notV().get(b).orV().get(c).xorV();
  f.add32()
    .set(sum)
    .rotateLeft32(sum, ROTATIONS[round]![step & 3]!)
    .get(b)
    .add32()
    .set(a);
}
