/**
 * What is left of CBC when the block cipher is done, for many packets in lock step: a block of every packet, then all of them through the block cipher at once.
 *
 *   cbcRow    the lane's register, which is ciphertext of its last block by now, is laid there;
 *             it is mixed with the next block of plain text, if there is one: what the block cipher takes next
 *
 * Packets are whole blocks.
 */
import type { FunctionBody } from "./assembler.ts";

const BLOCK = 16;

/**
 * cbcRow(registers, lanes, count): answers how many lanes have blocks left, which were moved to the front. Registers are blocks; lane i has two words at
 * lanes + 8i: where its last block lies, and its packet's last block. Before the first row that is one block before the packet; what lies
 * there is overwritten with the register, the initialization vector.
 */
export function writeCbcRow(f: FunctionBody): void {
  const [registers, lanes, count] = [0, 1, 2];
  const [lane, end, kept, at, keptRegister] = [f.i32Local(), f.i32Local(), f.i32Local(), f.i32Local(), f.i32Local()];
  const register = f.v128Local();
  f.get(registers).set(keptRegister);
  f.get(lanes).tee(lane).tee(kept).get(count).i32(3).shl().add().set(end);
  f.loop(() => {
    f.get(lane).load32().set(at);
    f.get(at).get(registers).loadV().tee(register).storeV();
    f.get(at).get(lane).load32(4).ltU();
    f.when(() => {
      // Lanes are only ever moved to places that were read before.
      f.get(kept).get(lane).load32(4).store32(4);
      f.get(kept).get(at).i32(BLOCK).add().tee(at).store32();
      f.get(keptRegister).get(register).get(at).loadV().xorV().storeV();
      f.get(keptRegister).i32(BLOCK).add().set(keptRegister);
      f.get(kept).i32(8).add().set(kept);
    });
    f.get(registers).i32(BLOCK).add().set(registers);
    f.get(lane).i32(8).add().tee(lane).get(end).ltU();
  });
  f.get(kept).get(lanes).sub().i32(3).shrU();
}
