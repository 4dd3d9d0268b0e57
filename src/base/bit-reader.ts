/**
 * Bits, most significant first, with the Exp-Golomb codes of ITU-T H.264 section 9.1: for configurations that are read once.
 * Reading past the end yields zeros and sets `overrun`, which the caller checks once.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** True once anything was read past the end, or an Exp-Golomb code was longer than 32 bits. */
  overrun = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bits not read yet. */
  get left(): number {
    return Math.max(0, this.#bytes.length * 8 - this.#position);
  }

  /** The next `n` bits as an unsigned integer; n 0…32. */
  bits(n: number): number {
    let value = 0;
    for (let i = 0; i < n; i++) value = value * 2 + this.#bit();
    return value;
  }

  flag(): boolean {
    return this.#bit() === 1;
  }

  skip(n: number): void {
    this.#position += n;
    if (this.#position > this.#bytes.length * 8) this.overrun = true;
  }

  /** ue(v): 0…2^32−2. */
  ue(): number {
    let zeros = 0;
    while (this.#bit() === 0) {
      if (++zeros > 31 || this.overrun) {
        this.overrun = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v): 0, 1, −1, 2, −2 … */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? 0 - code / 2 : (code + 1) / 2;
  }

  #bit(): number {
    const at = this.#position >> 3;
    if (at >= this.#bytes.length) {
      this.overrun = true;
      return 0;
    }
    return (this.#bytes[at]! >> (7 - (this.#position++ & 7))) & 1;
  }
}
