/**
 * kcptun's JSON file, read as kcptun reads it: keys in any case, keys nobody knows (and pprof) ignored, null ignored, and every value of the type that
 * Go's decoder wants (numbers whole, switches true or false, the rest text). What it says is turned into flags, which stand last and win.
 */
import { readFileSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";
import type { Option } from "./option.ts";

/** @throws ConfigError when the file cannot be read, is not JSON, or holds a value of a wrong type */
export function flagsOfFile(path: string, options: readonly Option[]): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ConfigError("c", `-c: "${path}" cannot be used: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError("c", `-c: "${path}" must hold one JSON object`);
  }
  return Object.entries(parsed).flatMap(([name, value]) => {
    if (value === null) return [];
    const key = name.toLowerCase();
    const option = options.find(({ names, short }) => names.some((known) => known !== short && known.toLowerCase() === key));
    if (option === undefined) return [];
    // kcptun has no lists: these are options of ours, written as in our own files.
    if (option.list && Array.isArray(value) && value.every((text) => typeof text === "string"))
      return value.map((text) => `--${option.key}=${text}`);
    const wanted = wantedType(option);
    if (typeof value !== wanted || (wanted === "number" && !Number.isInteger(value))) {
      throw new ConfigError(
        key,
        `-c: "${name}" is ${JSON.stringify(value)}; it must be a ${wanted === "number" ? "whole number" : wanted}`,
      );
    }
    return [`--${option.key}=${String(value)}`];
  });
}

function wantedType(option: Option): "boolean" | "number" | "string" {
  if (option.switch) return "boolean";
  return option.range === undefined ? "string" : "number";
}

/** Takes -c FILE (also --c, -c=FILE) out of the arguments. */
export function splitFile(argv: readonly string[]): { readonly file: string | undefined; readonly rest: string[] } {
  const rest: string[] = [];
  let file: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const match = /^--?c(?:=(.*))?$/.exec(argv[i]!);
    if (match === null) rest.push(argv[i]!);
    else file = match[1] ?? argv[++i] ?? "";
  }
  return { file, rest };
}
