/**
 * Sums of products in GF(2^8): adds one shard, times a coefficient a row, to up to four rows of sums at once.
 *
 *   sum[row][p] ⊕= coefficient[row] · shard[p]        the product of a byte is the XOR of two look-ups, one a nibble
 *
 *   tables   row 0: products of 0…15 │ of 0x00…0xf0 │ row 1: … 32 bytes a row
 *   sums     row 0 │ row 1 │ …       SUM_BYTES apart
 */
import type { FunctionBody } from "./assembler.ts";

/** Rows one function adds to. */
export const ROWS_MAX = 4;
/** From one row of sums to the next: the longest shard. */
export const SUM_BYTES = 1536;
export const ROW_TABLE_BYTES = 32;
const VECTOR = 16;

/** parityN(start, end, sums, tables): adds memory[start…end), not empty, at most SUM_BYTES. */
export function writeParity(f: FunctionBody, rows: number, mask: number, relaxed: boolean): void {
  const [start, end, sums, tables] = [0, 1, 2, 3];
  const left = f.i32Local();
  const [low, high] = [f.v128Local(), f.v128Local()];
  const products = Array.from({ length: rows * 2 }, () => f.v128Local());
  products.forEach((local, i) => {
    f.get(tables)
      .loadV(VECTOR * i)
      .set(local);
  });
  const swizzle = (): FunctionBody => (relaxed ? f.relaxedSwizzle() : f.swizzle());
  /** Adds the vector in `low`. */
  const addVector = (): void => {
    f.get(low).i32(4).shr16().splat8(15).andV().set(high);
    f.get(low).splat8(15).andV().set(low);
    for (let row = 0; row < rows; row++) {
      f.get(sums);
      f.get(products[2 * row]!).get(low);
      swizzle()
        .get(products[2 * row + 1]!)
        .get(high);
      swizzle()
        .xorV()
        .get(sums)
        .loadV(row * SUM_BYTES)
        .xorV()
        .storeV(row * SUM_BYTES);
    }
  };
  f.get(start).i32(VECTOR).add().get(end).gtU().i32(1).xor();
  f.when(() => {
    f.loop(() => {
      f.get(start).loadV().set(low);
      addVector();
      f.get(sums).i32(VECTOR).add().set(sums);
      f.get(start).i32(VECTOR).add().tee(start).i32(VECTOR).add().get(end).gtU().i32(1).xor();
    });
  });
  f.get(end).get(start).sub().tee(left);
  f.when(() => {
    f.get(start)
      .loadV()
      .i32(mask + VECTOR)
      .get(left)
      .sub()
      .loadV()
      .andV()
      .set(low);
    addVector();
  });
}
