/** How often each operation was asked for, and how it came out: "ok" or the error's code. As many entries as there are operations and errors, no more. */
export interface RequestCount {
  readonly operation: string;
  readonly outcome: string;
  count: number;
}

export class RequestCounts {
  readonly #counts = new Map<string, RequestCount>();

  /** `operation` is one that is known, or "unknown". */
  add(operation: string, outcome: string): void {
    const key = `${operation} ${outcome}`;
    const row = this.#counts.get(key);
    if (row === undefined) this.#counts.set(key, { operation, outcome, count: 1 });
    else row.count++;
  }

  rows(): readonly RequestCount[] {
    return [...this.#counts.values()];
  }
}
