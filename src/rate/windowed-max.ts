/**
 * The greatest of what was seen in the last `span` ticks, in three values (Kathleen Nichols' algorithm, as in Linux lib/win_minmax.c): best, second and third
 * best, each seen after the one before.
 */
export class WindowedMax {
  readonly #span: number;
  readonly #value = new Float64Array(3);
  readonly #at = new Float64Array(3);

  constructor(span: number) {
    this.#span = span;
  }

  /** 0 before the first value. */
  get value(): number {
    return this.#value[0]!;
  }

  reset(tick: number, value: number): void {
    this.#value.fill(value);
    this.#at.fill(tick);
  }

  /** `tick` never falls. */
  add(tick: number, value: number): void {
    const v = this.#value;
    const at = this.#at;
    if (value >= v[0]! || tick - at[2]! > this.#span) {
      this.reset(tick, value);
      return;
    }
    if (value >= v[1]!) this.#put(1, tick, value);
    else if (value >= v[2]!) this.#set(2, tick, value);
    const age = tick - at[0]!;
    if (age > this.#span) {
      this.#set(0, at[1]!, v[1]!);
      this.#set(1, at[2]!, v[2]!);
      this.#set(2, tick, value);
      if (tick - at[0]! > this.#span) {
        this.#set(0, at[1]!, v[1]!);
        this.#set(1, at[2]!, v[2]!);
      }
    } else if (at[1] === at[0] && age > this.#span / 4) this.#put(1, tick, value);
    else if (at[2] === at[1] && age > this.#span / 2) this.#set(2, tick, value);
  }

  #put(from: number, tick: number, value: number): void {
    for (let i = from; i < 3; i++) this.#set(i, tick, value);
  }

  #set(i: number, tick: number, value: number): void {
    this.#value[i] = value;
    this.#at[i] = tick;
  }
}
