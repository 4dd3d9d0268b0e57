/**
 * Writes the binary format of a WebAssembly module: functions over one imported memory, in the order they are added.
 *
 *   "\0asm" 1 │ types │ imports: memory │ functions │ exports │ code
 *
 * Only what the kernels need: i32 and v128, one result at most. Written at load, so that kernels are source like everything else and no
 * compiler has to be there. Source: WebAssembly Core Specification 2.0, section 5 (binary format); relaxed SIMD proposal for `relaxedSwizzle`.
 */

const I32 = 0x7f;
const V128 = 0x7b;
const VOID = 0x40;

/** Names of a function's locals, its parameters first. */
export type Local = number;

export class FunctionBody {
  readonly name: string;
  readonly parameters: number;
  readonly result: boolean;
  readonly #locals: number[] = [];
  readonly #code: number[] = [];

  /** `parameters` i32s, and an i32 as result or none. */
  constructor(name: string, parameters: number, result: boolean) {
    this.name = name;
    this.parameters = parameters;
    this.result = result;
  }

  i32Local(): Local {
    return this.parameters + this.#locals.push(I32) - 1;
  }
  v128Local(): Local {
    return this.parameters + this.#locals.push(V128) - 1;
  }

  get(local: Local): this {
    return this.#emit(0x20, ...unsigned(local));
  }
  set(local: Local): this {
    return this.#emit(0x21, ...unsigned(local));
  }
  tee(local: Local): this {
    return this.#emit(0x22, ...unsigned(local));
  }
  i32(value: number): this {
    return this.#emit(0x41, ...signed(value));
  }
  /** All lanes the same byte. */
  splat8(value: number): this {
    return this.#simd(12, ...new Array<number>(16).fill(value));
  }

  add(): this {
    return this.#emit(0x6a);
  }
  sub(): this {
    return this.#emit(0x6b);
  }
  remU(): this {
    return this.#emit(0x70);
  }
  and(): this {
    return this.#emit(0x71);
  }
  xor(): this {
    return this.#emit(0x73);
  }
  shl(): this {
    return this.#emit(0x74);
  }
  shrU(): this {
    return this.#emit(0x76);
  }
  ltU(): this {
    return this.#emit(0x49);
  }
  gtU(): this {
    return this.#emit(0x4b);
  }
  load32(offset = 0): this {
    return this.#emit(0x28, 0, ...unsigned(offset));
  }
  load8(offset = 0): this {
    return this.#emit(0x2d, 0, ...unsigned(offset));
  }
  store32(offset = 0): this {
    return this.#emit(0x36, 0, ...unsigned(offset));
  }

  /** memory.copy; to, from and length are on the stack. */
  copy(): this {
    return this.#emit(0xfc, 10, 0, 0);
  }
  /** memory.fill; address, byte and length are on the stack. */
  fill(): this {
    return this.#emit(0xfc, 11, 0);
  }

  loadV(offset = 0): this {
    return this.#simd(0, 0, ...unsigned(offset));
  }
  storeV(offset = 0): this {
    return this.#simd(11, 0, ...unsigned(offset));
  }
  andV(): this {
    return this.#simd(78);
  }
  xorV(): this {
    return this.#simd(81);
  }
  /** Each 16-bit lane shifted right; the count is on the stack. */
  shr16(): this {
    return this.#simd(141);
  }
  notV(): this {
    return this.#simd(77);
  }
  orV(): this {
    return this.#simd(80);
  }
  /** Of two vectors below it, the bits of the first where the third has ones, of the second elsewhere. */
  bitselect(): this {
    return this.#simd(82);
  }
  /** All four 32-bit lanes the i32 on the stack. */
  splat32(): this {
    return this.#simd(17);
  }
  add32(): this {
    return this.#simd(174);
  }
  /** Each 32-bit lane rotated left: the vector is in a local. */
  rotateLeft32(vector: Local, bits: number): this {
    this.get(vector).i32(bits).#simd(171);
    return this.get(vector)
      .i32(32 - bits)
      .#simd(173)
      .orV();
  }
  /** Neighbouring unsigned 16-bit lanes added to 32-bit ones. */
  addPairs16(): this {
    return this.#simd(127);
  }
  /** 32-bit lane 0…3 as an i32. */
  lane32(lane: number): this {
    return this.#simd(27, lane);
  }
  /** Of the two vectors on the stack, 32-bit lanes 0…3 of the first and 4…7 of the second. */
  shuffle32(...lanes: readonly [number, number, number, number]): this {
    return this.#simd(13, ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]));
  }
  swizzle(): this {
    return this.#simd(14);
  }
  /** As `swizzle`, undefined for indices of 16 and more: an instruction less. */
  relaxedSwizzle(): this {
    return this.#simd(256);
  }

  /** Repeats `body` until the i32 it leaves on the stack is 0. */
  loop(body: () => void): this {
    this.#emit(0x03, VOID);
    body();
    return this.#emit(0x0d, 0, 0x0b);
  }
  /** Does `body` if the i32 on the stack is not 0. */
  when(body: () => void): this {
    this.#emit(0x04, VOID);
    body();
    return this.#emit(0x0b);
  }

  get type(): number[] {
    return [0x60, ...vector(new Array<number[]>(this.parameters).fill([I32])), ...vector(this.result ? [[I32]] : [])];
  }

  get bytes(): number[] {
    const body = [...vector(this.#locals.map((type) => [1, type])), ...this.#code, 0x0b];
    return [...unsigned(body.length), ...body];
  }

  #simd(operation: number, ...immediate: number[]): this {
    return this.#emit(0xfd, ...unsigned(operation), ...immediate);
  }

  #emit(...bytes: number[]): this {
    for (const byte of bytes) this.#code.push(byte);
    return this;
  }
}

/** A module that imports `env.memory`, of exactly `pages` pages of 64 KiB, and exports the functions by their names. */
export function assemble(functions: readonly FunctionBody[], pages: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(functions.map(({ type }) => type))),
    ...section(2, vector([[...text("env"), ...text("memory"), 0x02, 0x01, ...unsigned(pages), ...unsigned(pages)]])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]))),
    ...section(10, vector(functions.map(({ bytes }) => bytes))),
  ]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(name: string): number[] {
  return vector(Array.from(name, (letter) => [letter.charCodeAt(0)]));
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

/** LEB128 of an int32. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest > 63 || rest < -64) {
    bytes.push((rest & 127) | 128);
    rest >>= 7;
  }
  return [...bytes, rest & 127];
}
