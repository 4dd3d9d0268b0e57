/**
 * The first part of a CRC of 32 bits: moves a long message into its last SHORT bytes without look-ups.
 *
 *   The polynomial has a multiple Q of six terms and a degree D below SHORT. Q⁸(x) = Q(x⁸), as squaring does in characteristic 2, so the same distances hold for
 *   whole bytes: byte p may be taken away if it is added to the bytes p + d, for the five distances d of Q's lower terms from its highest.
 *
 *     state[p] = message[p] ⊕ state[p − d₁] ⊕ … ⊕ state[p − d₅]        as far as SHORT before the end, sixteen bytes at once: every d is 16 and more
 *     short[j] = message[end − SHORT + j] ⊕ the same sum, of what was taken away
 *
 *   memory   │ zeros │ state, zeros behind it │ 96 to be read, as before any message │ short │
 *
 * Source: CRC by sparse multiples of the generator polynomial; the distances were found by search, pairs of terms against pairs. A wrong one would show at every
 * length above SPARSE_FROM.
 */
import type { FunctionBody, Local } from "./assembler.ts";

/** What is left, a multiple of the 96 bytes of a step. */
export const SHORT = 288;
/** Tuning: shorter messages gain nothing. */
export const SPARSE_FROM = 512;
/** From Q's highest term to the others. */
export const SPARSE_ISO_3309 = [181, 199, 255, 263, 274] as const;
export const SPARSE_CASTAGNOLI = [123, 145, 178, 195, 266] as const;

const VECTOR = 16;
/** Vectors of one turn of the loop: the first turn, of which a part may lie before the message, needs nothing of earlier ones. */
const UNROLLED = 4;
const TURN = UNROLLED * VECTOR;
const BEFORE = SHORT;
const MESSAGE_BYTES_MAX = 2048;
const STATE = BEFORE;
const BEHIND = STATE + MESSAGE_BYTES_MAX - SHORT + TURN + SHORT;
const RESULT = BEHIND + 96;
export const SPARSE_BYTES = RESULT + SHORT;

/** Answers where the SHORT bytes lie. `memory` is 16-aligned and zero at first; `ones`: where 96 zeros end and 96 bytes of ones begin. */
export function writeSparse(f: FunctionBody, start: Local, end: Local, memory: number, ones: number, distances: readonly number[]): number {
  const [at, last, state, mask] = [f.i32Local(), f.i32Local(), f.i32Local(), f.i32Local()];
  f.get(end).i32(SHORT).sub().set(last);
  // Before the message up to TURN − 1 bytes are read and masked away.
  f.i32(ones)
    .get(last)
    .get(start)
    .sub()
    .i32(-1)
    .xor()
    .i32(1)
    .add()
    .i32(TURN - 1)
    .and()
    .tee(mask)
    .sub();
  f.get(start).get(mask).sub().set(at);
  f.set(mask);
  // All of the state that is read lies behind this address.
  f.i32(memory + STATE - BEFORE).set(state);
  for (let v = 0; v < UNROLLED; v++) {
    f.get(state)
      .get(at)
      .loadV(v * VECTOR)
      .get(mask)
      .loadV(v * VECTOR)
      .andV()
      .storeV(BEFORE + v * VECTOR);
  }
  const step = (): void => {
    f.get(at).i32(TURN).add().set(at).get(state).i32(TURN).add().set(state);
  };
  /** Leaves on the stack what lies at the message's offset, with what earlier state adds. */
  const sum = (offset: number): void => {
    f.get(at).loadV(offset);
    for (const distance of distances) {
      f.get(state)
        .loadV(BEFORE + offset - distance)
        .xorV();
    }
  };
  step();
  f.get(at).get(last).ltU();
  f.when(() => {
    f.loop(() => {
      for (let v = 0; v < UNROLLED; v++) {
        f.get(state);
        sum(v * VECTOR);
        f.storeV(BEFORE + v * VECTOR);
      }
      step();
      f.get(at).get(last).ltU();
    });
  });
  // What is not taken away adds nothing.
  for (let offset = 0; offset < SHORT - Math.min(...distances); offset += VECTOR)
    f.get(state)
      .splat8(0)
      .storeV(BEFORE + offset);
  for (let offset = 0; offset < SHORT; offset += VECTOR) {
    f.i32(0);
    sum(offset);
    f.storeV(memory + RESULT + offset);
  }
  return memory + RESULT;
}
