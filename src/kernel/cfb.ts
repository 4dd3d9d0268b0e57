/**
 * What is left of CFB (cipher/cfb.ts) when the block cipher is done: XOR, 16 bytes at once.
 *
 *   cfbRow    one block of every lane:  P ⊕ register → C, which is the lane's next register
 *   xor       memory[at…end) ⊕= memory[keystream…)
 *
 * A block that is cut short by the end of its packet leaves what lies behind it as it is, but writes it.
 */
import type { FunctionBody } from "./assembler.ts";

const BLOCK = 16;
/** 16 bytes of ones, then 16 of zeros: a block with n ones in front lies at 16 − n. */
export const TAIL_MASK_BYTES = 2 * BLOCK;

export function fillTailMask(memory: Uint8Array, at: number): void {
  memory.fill(255, at, at + BLOCK).fill(0, at + BLOCK, at + TAIL_MASK_BYTES);
}

/**
 * cfbRow(registers, lanes, count): the lanes with blocks left, which were moved to the front. Registers are blocks; lane i has two words at
 * lanes + 8i: where its next block lies and where its packet ends, which is behind that.
 */
export function writeCfbRow(f: FunctionBody, mask: number): void {
  const [registers, lanes, count] = [0, 1, 2];
  const [lane, last, kept, at, left] = [f.i32Local(), f.i32Local(), f.i32Local(), f.i32Local(), f.i32Local()];
  const [text, register] = [f.v128Local(), f.v128Local()];
  const keptLane = (): FunctionBody => f.get(lanes).get(kept).i32(3).shl().add();
  f.get(lanes).tee(lane).get(count).i32(3).shl().add().set(last);
  f.loop(() => {
    f.get(lane).load32(4).get(lane).load32().tee(at).sub().set(left);
    f.get(registers).loadV().set(register);
    f.get(at).loadV().set(text);
    f.get(left).i32(BLOCK).ltU();
    f.when(() =>
      f
        .get(register)
        .i32(mask + BLOCK)
        .get(left)
        .sub()
        .loadV()
        .andV()
        .set(register),
    );
    f.get(at).get(text).get(register).xorV().tee(text).storeV();
    f.get(left).i32(BLOCK).gtU();
    f.when(() => {
      // Lanes are only ever moved to places that were read before.
      keptLane().get(lane).load32(4).store32(4);
      keptLane().get(at).i32(BLOCK).add().store32();
      f.get(registers).get(lane).get(lanes).sub().i32(1).shl().sub().get(kept).i32(4).shl().add().get(text).storeV();
      f.get(kept).i32(1).add().set(kept);
    });
    f.get(registers).i32(BLOCK).add().set(registers);
    f.get(lane).i32(8).add().tee(lane).get(last).ltU();
  });
  f.get(kept);
}

/** xor(at, end, keystream): not empty. */
export function writeXor(f: FunctionBody, mask: number): void {
  const [at, end, keystream] = [0, 1, 2];
  const left = f.i32Local();
  f.get(at).i32(BLOCK).add().get(end).gtU().i32(1).xor();
  f.when(() => {
    f.loop(() => {
      f.get(at).get(at).loadV().get(keystream).loadV().xorV().storeV();
      f.get(keystream).i32(BLOCK).add().set(keystream);
      f.get(at).i32(BLOCK).add().tee(at).i32(BLOCK).add().get(end).gtU().i32(1).xor();
    });
  });
  f.get(end).get(at).sub().tee(left);
  f.when(() => {
    f.get(at).get(at).loadV().get(keystream).loadV();
    f.i32(mask + BLOCK)
      .get(left)
      .sub()
      .loadV()
      .andV()
      .xorV()
      .storeV();
  });
}
