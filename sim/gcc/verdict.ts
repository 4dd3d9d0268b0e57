/** An expectation beside what came of it: one line of the judge's table. */

export interface Verdict {
  readonly expected: string;
  readonly got: string;
  readonly holds: boolean;
}

export interface Row extends Verdict {
  /** Row of reference/gcc.md L, or case of RFC 8867. */
  readonly id: string;
  /** What was measured. */
  readonly what: string;
  readonly source: string;
}

export function atLeast(value: number, bound: number, unit = ""): Verdict {
  return { expected: `≥ ${shown(bound)}${unit}`, got: `${shown(value)}${unit}`, holds: value >= bound };
}

export function atMost(value: number, bound: number, unit = ""): Verdict {
  return { expected: `≤ ${shown(bound)}${unit}`, got: `${shown(value)}${unit}`, holds: value <= bound };
}

export function below(value: number, bound: number, unit = ""): Verdict {
  return { expected: `< ${shown(bound)}${unit}`, got: `${shown(value)}${unit}`, holds: value < bound };
}

export function near(value: number, expected: number, tolerance: number, unit = ""): Verdict {
  const holds = Math.abs(value - expected) <= tolerance;
  return { expected: `${shown(expected)} ± ${shown(tolerance)}${unit}`, got: `${shown(value)}${unit}`, holds };
}

export function between(value: number, least: number, most: number, unit = ""): Verdict {
  return { expected: `${shown(least)}…${shown(most)}${unit}`, got: `${shown(value)}${unit}`, holds: value >= least && value <= most };
}

/** Exactly these; a list is written with commas. */
export function exactly(value: unknown, expected: unknown): Verdict {
  return { expected: String(expected), got: String(value), holds: String(value) === String(expected) };
}

/** All of them; the texts are joined. */
export function all(...verdicts: readonly Verdict[]): Verdict {
  return {
    expected: verdicts.map(({ expected }) => expected).join("; "),
    got: verdicts.map(({ got }) => got).join("; "),
    holds: verdicts.every(({ holds }) => holds),
  };
}

/** The table, with a mark on what does not hold. */
export function table(rows: readonly Row[]): string {
  const head = ["", "what", "expected", "got", "source", ""];
  const cells = rows.map(({ id, what, expected, got, source, holds }) => [id, what, expected, got, source, holds ? "pass" : "FAIL"]);
  const widths = head.map((title, i) => Math.max(...[head, ...cells].map((row) => row[i]!.length), title.length));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  return [line(head), ...cells.map(line)].join("\n");
}

function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
