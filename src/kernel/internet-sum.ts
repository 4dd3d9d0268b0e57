/**
 * The sum of the Internet checksum (RFC 1071): 16-bit words, here in memory's order, added without folding. Byte order does not matter to a ones'
 * complement sum: folded and its two bytes exchanged, it is the sum in network order.
 */
import type { FunctionBody } from "./assembler.ts";

const VECTOR = 16;

/** sum16(start, end): of memory[start…end), up to 65,535 bytes; an odd last byte is followed by a zero. `mask`: see cfb.ts. */
export function writeSum16(f: FunctionBody, mask: number): void {
  const [at, end] = [0, 1];
  const sum = f.v128Local();
  const whole = (): FunctionBody => f.get(at).i32(VECTOR).add().get(end).gtU().i32(1).xor();
  whole().when(() => {
    f.loop(() => {
      f.get(at).loadV().addPairs16().get(sum).add32().set(sum);
      f.get(at).i32(VECTOR).add().set(at);
      whole();
    });
  });
  f.get(end).get(at).sub().set(end);
  // What is left, 0…15 bytes; the rest masked away.
  f.get(at).loadV();
  f.i32(mask + VECTOR)
    .get(end)
    .sub()
    .loadV()
    .andV();
  f.addPairs16().get(sum).add32().set(sum);
  f.get(sum).lane32(0);
  for (const lane of [1, 2, 3]) f.get(sum).lane32(lane).add();
}
