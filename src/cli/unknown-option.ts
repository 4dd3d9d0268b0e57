/** The sentence for an option that nobody knows: of the program we replace and not built yet, or misspelt. */
import { ConfigError } from "../base/errors.ts";
import type { Option } from "./option.ts";

/** Options of another program that are refused by name. */
export interface Later {
  /** "kcptun" */
  readonly program: string;
  readonly names: readonly string[];
}

export function unknownOption(options: readonly Option[], name: string, later: Later): ConfigError {
  if (later.names.some((known) => known.toLowerCase() === name.toLowerCase())) {
    return new ConfigError(name, `--${name} is an option of ${later.program} that this version does not have yet; leave it out`);
  }
  const names = options.flatMap((option) => option.names);
  const close = names
    .map((known) => ({ known, distance: editDistance(known, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint = close !== undefined && close.distance <= 2 ? `; did you mean --${close.known}?` : "; see --help";
  return new ConfigError(name, `unknown option --${name}${hint}`);
}

/** Levenshtein distance, for suggestions. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
