/** Where the ticks begin. */
const AT = 3;

/**
 * The greatest of what was seen in the last `span` ticks, in three values (Kathleen Nichols' algorithm, as in Linux lib/win_minmax.c): best, second and third
 * best, each seen after the one before.
 */
export class WindowedMax {
  readonly #span: number;
  /** The values, then the ticks of each. */
  readonly #seen = new Float64Array(6);

  constructor(span: number) {
    this.#span = span;
  }

  /** 0 before the first value. */
  get value(): number {
    return this.#seen[0]!;
  }

  reset(tick: number, value: number): void {
    this.#seen.fill(value, 0, AT);
    this.#seen.fill(tick, AT);
  }

  /** `tick` never falls. */
  add(tick: number, value: number): void {
    const seen = this.#seen;
    if (value >= seen[0]! || tick - seen[AT + 2]! > this.#span) {
      this.reset(tick, value);
      return;
    }
    if (value >= seen[1]!) this.#put(1, tick, value);
    else if (value >= seen[2]!) this.#set(2, tick, value);
    const age = tick - seen[AT]!;
    if (age > this.#span) {
      this.#set(0, seen[AT + 1]!, seen[1]!);
      this.#set(1, seen[AT + 2]!, seen[2]!);
      this.#set(2, tick, value);
      if (tick - seen[AT]! > this.#span) {
        this.#set(0, seen[AT + 1]!, seen[1]!);
        this.#set(1, seen[AT + 2]!, seen[2]!);
      }
    } else if (seen[AT + 1] === seen[AT] && age > this.#span / 4) this.#put(1, tick, value);
    else if (seen[AT + 2] === seen[AT + 1] && age > this.#span / 2) this.#set(2, tick, value);
  }

  #put(from: number, tick: number, value: number): void {
    for (let i = from; i < 3; i++) this.#set(i, tick, value);
  }

  #set(i: number, tick: number, value: number): void {
    this.#seen[i] = value;
    this.#seen[AT + i] = tick;
  }
}
