/**
 * CRCs of 32 bits, bits reflected (ISO 3309, Castagnoli), with vector instructions, 96 bytes a step.
 *
 *   the CRC without its first and last inversion, R, is linear, and so is the step that takes a state S of 96 bytes past the next 96, N:
 *
 *     R(S ‖ N ‖ rest) = R(F(S) ⊕ N ‖ rest)
 *
 *   F is chosen so that bytes k of the six vectors of a state give bytes k of four vectors of the next and nothing of the others: then it is the
 *   same for all k, sixteen of them are computed at once, and each of the 6 × 4 bytes it maps takes two look-ups of a nibble in a vector.
 *   Such an F exists when the 32 bits of four bytes so placed span all remainders, as those of vectors 0, 1, 3 and 5 do for both polynomials (and few other choices);
 *   it is found by elimination.
 *
 *   of a long message first all but the last SHORT bytes are moved into those by a multiple of the polynomial that has only six terms, all of them powers
 *   of x⁸ (sparse-crc32.ts): a byte is added to five places behind it, which takes no look-up at all.
 *
 *   zeros before a message do not change R, so the first step takes what is over a multiple of 96, the rest masked away;
 *   the inversion of the first 32 bits adds a number that depends only on the length.
 */
import { assert } from "../base/assert.ts";
import type { FunctionBody } from "./assembler.ts";
import { SHORT, SPARSE_BYTES, SPARSE_FROM, writeSparse } from "./sparse-crc32.ts";

/** Reflected polynomials. */
export const ISO_3309 = 0xedb88320;
export const CASTAGNOLI = 0x82f63b78;
const VECTOR = 16;
const VECTORS = 6;
const STEP = VECTORS * VECTOR;
/** The vectors of the next state to which all of this one contribute; the others are data alone. */
const TARGETS = [0, 1, 3, 5] as const;
/** Longest message. */
export const CRC_BYTES_MAX = 2048;

/** Where the parts lie behind the kernel's tables. */
const FOLD = 0;
const MASK = FOLD + VECTORS * 2 * TARGETS.length * VECTOR;
const SLICES = MASK + 2 * STEP;
const INITIAL = SLICES + VECTOR * 256 * 4;
const STATE = INITIAL + (CRC_BYTES_MAX + 1) * 4;
const SPARSE = STATE + STEP;
export const CRC_TABLE_BYTES = SPARSE + SPARSE_BYTES;

/**
 * crc32(start, end): the CRC of memory[start…end), at most CRC_BYTES_MAX bytes, with 96 readable bytes before them. `tables` is 16-aligned. `distances` are of
 * the polynomial's sparse multiple.
 */
export function writeCrc32(f: FunctionBody, tables: number, relaxed: boolean, distances: readonly number[]): void {
  const [start, end] = [0, 1];
  const [at, previous, mask] = [f.i32Local(), f.i32Local(), f.i32Local()];
  const state = TARGETS.map(() => f.v128Local());
  const sum = TARGETS.map(() => f.v128Local());
  const [low, high] = [f.v128Local(), f.v128Local()];
  const total = f.i32Local();
  const length = (): FunctionBody => f.get(end).get(start).sub();
  length()
    .tee(total)
    .i32(SPARSE_FROM - 1)
    .gtU();
  f.when(() => {
    const short = writeSparse(f, start, end, tables + SPARSE, tables + MASK + STEP, distances);
    f.i32(short)
      .set(start)
      .i32(short + SHORT)
      .set(end);
  });
  // The first state: what is before `start` is masked away. Its vectors lie at STATE, those of later ones, but for the targets, in the data.
  f.get(start).i32(STEP - 1);
  length()
    .i32(STEP - 1)
    .add()
    .i32(STEP)
    .remU();
  f.sub().tee(mask).sub().set(at);
  f.i32(tables + MASK + STEP)
    .get(mask)
    .sub()
    .set(mask);
  for (let j = 0; j < VECTORS; j++) {
    const target = TARGETS.indexOf(j as 0);
    if (target < 0) f.i32(0);
    f.get(at)
      .loadV(VECTOR * j)
      .get(mask)
      .loadV(VECTOR * j)
      .andV();
    if (target < 0) f.storeV(tables + STATE + VECTOR * j);
    else f.set(state[target]!);
  }
  f.i32(tables + STATE).set(previous);
  f.get(at).i32(STEP).add().tee(at).get(end).ltU();
  f.when(() => {
    f.loop(() => {
      TARGETS.forEach((target, t) => {
        f.get(at)
          .loadV(VECTOR * target)
          .set(sum[t]!);
      });
      for (let j = 0; j < VECTORS; j++) {
        const source = state[TARGETS.indexOf(j as 0)];
        const load = (): FunctionBody => (source === undefined ? f.get(previous).loadV(VECTOR * j) : f.get(source));
        load().splat8(15).andV().set(low);
        load().i32(4).shr16().splat8(15).andV().set(high);
        for (let t = 0; t < TARGETS.length; t++) {
          for (const [nibble, register] of [low, high].entries()) {
            f.i32(0)
              .loadV(tables + FOLD + ((j * 2 + nibble) * TARGETS.length + t) * VECTOR)
              .get(register);
            (relaxed ? f.relaxedSwizzle() : f.swizzle()).get(sum[t]!).xorV().set(sum[t]!);
          }
        }
      }
      for (let t = 0; t < TARGETS.length; t++) f.get(sum[t]!).set(state[t]!);
      f.get(at).tee(previous).i32(STEP).add().tee(at).get(end).ltU();
    });
  });
  for (let j = 0; j < VECTORS; j++) {
    const source = state[TARGETS.indexOf(j as 0)];
    f.i32(0);
    if (source === undefined) f.get(previous).loadV(VECTOR * j);
    else f.get(source);
    f.storeV(tables + STATE + VECTOR * j);
  }
  writeSlicing(f, tables);
  f.i32(tables + INITIAL);
  f.get(total).i32(2).shl().add().load32().xor();
}

/** Leaves R of the 96 bytes at STATE on the stack: sixteen look-ups a step. */
function writeSlicing(f: FunctionBody, tables: number): void {
  const [crc, word] = [f.i32Local(), f.i32Local()];
  for (let at = 0; at < STEP; at += VECTOR) {
    for (let w = 0; w < 4; w++) {
      f.i32(0).load32(tables + STATE + at + 4 * w);
      if (w === 0 && at > 0) f.get(crc).xor();
      f.set(word);
      for (let b = 0; b < 4; b++) {
        f.get(word);
        if (b > 0) f.i32(8 * b).shrU();
        if (b < 3) f.i32(255).and();
        f.i32(2)
          .shl()
          .load32(tables + SLICES + (VECTOR - 1 - 4 * w - b) * 1024);
        if (w + b > 0) f.xor();
      }
    }
    f.set(crc);
  }
  f.get(crc);
}

/** Fills the CRC_TABLE_BYTES at memory[tables…). */
export function fillCrc32(memory: DataView, tables: number, polynomial: number): void {
  const slices = slicingTables(polynomial);
  for (let i = 0; i < slices.length; i++) memory.setInt32(tables + SLICES + 4 * i, slices[i]!, true);
  for (let i = 0; i < 2 * STEP; i++) memory.setUint8(tables + MASK + i, i < STEP ? 0 : 255);
  let initial = -1;
  for (let n = 0; n <= CRC_BYTES_MAX; n++) {
    memory.setInt32(tables + INITIAL + 4 * n, ~initial, true);
    initial = (initial >>> 8) ^ slices[initial & 255]!;
  }
  const bits = foldBits(slices);
  for (let j = 0; j < VECTORS; j++) {
    for (let nibble = 0; nibble < 2; nibble++) {
      for (let value = 0; value < 16; value++) {
        let folded = 0;
        for (let b = 0; b < 4; b++) if ((value >> b) & 1) folded ^= bits[8 * j + 4 * nibble + b]!;
        for (let t = 0; t < TARGETS.length; t++) {
          memory.setUint8(tables + FOLD + ((j * 2 + nibble) * TARGETS.length + t) * VECTOR + value, folded >>> (8 * t));
        }
      }
    }
  }
}

/** slices[256 · k + b]: R of byte b with k zeros behind it. */
function slicingTables(polynomial: number): Int32Array {
  const t = new Int32Array(256 * VECTOR);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    t[i] = crc;
  }
  for (let i = 256; i < t.length; i++) t[i] = (t[i - 256]! >>> 8) ^ t[t[i - 256]! & 255]!;
  return t;
}

/** For bit b of byte j of a column, at 8j + b: the bits of the column's targets after a step, target t in bits 8t…8t + 7. */
function foldBits(slices: Int32Array): Int32Array {
  /** R of a column of which only this bit is set, with `zeros` behind the column. */
  const remainder = (j: number, bit: number, zeros: number): number => {
    let crc = slices[1 << bit]!;
    for (let i = zeros + VECTOR * (VECTORS - 1 - j); i > 0; i--) crc = (crc >>> 8) ^ slices[crc & 255]!;
    return crc;
  };
  // Gauss–Jordan: row i comes to say which bits of the targets have a remainder of which only bit i is set.
  const rows = Array.from({ length: 32 }, (_, i) => ({ remainder: remainder(TARGETS[i >> 3]!, i & 7, 0), column: 1 << i }));
  for (let i = 0; i < 32; i++) {
    const pivot = rows.findIndex((row, r) => r >= i && (row.remainder >>> i) & 1);
    assert(pivot >= 0, "the targets span all remainders");
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let r = 0; r < 32; r++) {
      if (r === i || ((rows[r]!.remainder >>> i) & 1) === 0) continue;
      rows[r]!.remainder ^= rows[i]!.remainder;
      rows[r]!.column ^= rows[i]!.column;
    }
  }
  return Int32Array.from({ length: 8 * VECTORS }, (_, i) => {
    const wanted = remainder(i >> 3, i & 7, STEP);
    return rows.reduce((column, row, bit) => ((wanted >>> bit) & 1 ? column ^ row.column : column), 0);
  });
}
