/**
 * Forwards as a file has them, JSON or YAML:
 *
 *   { "revision": 7, "forwards": [{ "name": "a", "listen": "198.51.100.1:5000", "to": ["10.0.0.1:5000"] }] }      or the array alone
 *
 * The revision belongs to the file the program keeps; in a file that is applied it may be missing and means nothing.
 */
import { parse as parseYaml } from "yaml";
import { ConfigError } from "../base/errors.ts";
import { type DesiredState, desiredState } from "./desired-state.ts";
import { entryOf, type Forward, parseForward } from "./forward.ts";

export interface Document {
  readonly revision: number;
  readonly forwards: readonly Forward[];
}

/** `name`: of the file, for the sentence. @throws ConfigError */
export function parseDocument(text: string, name: string): Document {
  const given = parseText(text, name);
  const wrapped =
    typeof given === "object" && given !== null && !Array.isArray(given) ? (given as Record<string, unknown>) : { forwards: given };
  const { revision = 0, forwards = [], ...others } = wrapped;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new ConfigError(unknown, `"${name}": "${unknown}" is not known; give revision and forwards`);
  if (!Array.isArray(forwards) || !Number.isSafeInteger(revision) || (revision as number) < 0)
    throw new ConfigError("forwards", `"${name}" must hold an array of forwards, or an object with that as forwards`);
  return { revision: revision as number, forwards: forwards.map((entry, i) => parseForward(entry, `forwards[${i}]`)) };
}

export function stateOf({ revision, forwards }: Document): DesiredState {
  return desiredState(revision, forwards);
}

/** A line for each forward, so that the difference of two files is readable. */
export function formatDocument({ revision, forwards }: DesiredState): string {
  const lines = Array.from(forwards.values(), ({ text }) => `    ${text}`);
  return `{\n  "revision": ${revision},\n  "forwards": [${lines.length === 0 ? "" : `\n${lines.join(",\n")}\n  `}]\n}\n`;
}

export function entriesOf(state: DesiredState): object[] {
  return Array.from(state.forwards.values(), entryOf);
}

function parseText(text: string, name: string): unknown {
  // JSON is YAML too, but read a hundred times faster as what it is.
  try {
    if (/^\s*[[{]/.test(text)) return JSON.parse(text);
    return parseYaml(text, { maxAliasCount: 100 });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw new ConfigError("file", `"${name}" cannot be used: ${firstLine(error)}`);
  }
  try {
    return parseYaml(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError("file", `"${name}" is neither JSON nor YAML: ${firstLine(error)}`);
  }
}

function firstLine(error: unknown): string {
  return (error as Error).message.split("\n")[0]!;
}
