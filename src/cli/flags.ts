/**
 * Command-line flags, environment and JSON file from one zod schema: the schema is the single source of names, defaults, ranges and help.
 *
 * Precedence, lowest first: default, environment (LONGHAUL_NAME), command line, JSON file given with -c (as kcptun: the file wins).
 * Accepted forms: --name value, --name=value, -name value (Go style), -l value; a switch may stand alone; pairs, lists and operands add up. JSON keys are
 * case-insensitive.
 */
import { readFileSync } from "node:fs";
import type { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { describeOption, type Option, optionsOf } from "./option.ts";
import { unknownOption } from "./unknown-option.ts";

export interface Sources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** kcptun's options that this version refuses by name. */
  readonly later?: readonly string[];
  /** As kcptun does: an unknown choice means its fallback, a number out of range the nearest one that is allowed. */
  readonly lenient?: boolean;
}

/** @throws ConfigError with the one sentence that is shown */
export function parseFlags<Schema extends z.ZodObject>(schema: Schema, sources: Sources): z.output<Schema> {
  const options = optionsOf(schema);
  const given: Record<string, unknown> = {};
  for (const option of options) {
    for (const name of [`LONGHAUL_${option.key.toUpperCase()}`, ...option.env]) {
      const value = sources.env[name];
      if (value !== undefined && value !== "") put(option, value, given);
    }
  }
  const file = readArguments(options, sources, given);
  if (file !== undefined) readFile(options, file, sources.later ?? [], given);
  return checkGiven(schema, given, sources.lenient ?? false);
}

/** Completes options, given by their keys with texts or numbers, and checks them. @throws ConfigError as parseFlags does */
export function checkGiven<Schema extends z.ZodObject>(schema: Schema, given: Record<string, unknown>, lenient = false): z.output<Schema> {
  const options = optionsOf(schema);
  depend(options, given, lenient);
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw explain(options, result.error.issues[0]!, given);
}

function readArguments(options: readonly Option[], { argv, later = [] }: Sources, given: Record<string, unknown>): string | undefined {
  const operands = options.find((option) => option.operands !== undefined);
  let file: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    const match = /^--?([A-Za-z0-9][\w-]*)(?:=([\s\S]*))?$/.exec(argument);
    if (match === null && operands !== undefined && !argument.startsWith("-")) {
      given[operands.key] = [...((given[operands.key] as string[] | undefined) ?? []), argument];
      continue;
    }
    if (match === null) throw new ConfigError(argument, `"${argument}" is not an option; options begin with --, see --help`);
    const name = match[1]!;
    const inline = match[2];
    const take = (): string => {
      if (inline !== undefined) return inline;
      const value = argv[++i];
      if (value === undefined) throw new ConfigError(name, `--${name} needs a value; see --help`);
      return value;
    };
    if (name === "c" || name === "config") {
      file = take();
      continue;
    }
    const option = options.find((candidate) => candidate.names.includes(name));
    if (option === undefined) throw unknownOption(options, name, { program: "kcptun", names: later });
    if (!option.switch) put(option, take(), given);
    else if (inline !== undefined) given[option.key] = inline;
    else if (/^(true|false)$/.test(argv[i + 1] ?? "")) given[option.key] = argv[++i];
    else given[option.key] = "true";
  }
  return file;
}

/** Fills in what follows from other options. */
function depend(options: readonly Option[], given: Record<string, unknown>, lenient: boolean): void {
  for (const { key, initialBy, fallback, choices, range } of options) {
    if (initialBy !== undefined && given[key] === undefined) {
      const { option = "", values = {}, given: others = [], value: otherwise } = initialBy;
      const value = others.some((name) => given[name] !== undefined)
        ? otherwise
        : values[String(given[option] ?? initialOf(options, option))];
      if (value !== undefined) given[key] = value;
    }
    const falls = fallback !== undefined && (lenient || (fallback.when !== undefined && given[fallback.when] === "true"));
    if (falls && given[key] !== undefined && !choices?.includes(String(given[key]))) {
      given[key] = fallback.value;
    }
    const number = Number(given[key]);
    if (lenient && range !== undefined && given[key] !== undefined && Number.isInteger(number)) {
      given[key] = Math.min(Math.max(number, range.least), range.most);
    }
  }
}

/** What the option is when nobody says anything. */
function initialOf(options: readonly Option[], key: string): unknown {
  return options.find((candidate) => candidate.key === key)?.initial;
}

/** Pairs and lists add up over several occurrences; anything else replaces what was there. */
function put(option: Option, value: string, given: Record<string, unknown>): void {
  if (option.list) {
    given[option.key] = [...((given[option.key] as string[] | undefined) ?? []), ...value.split(",").map((text) => text.trim())];
    return;
  }
  if (!option.pairs) {
    given[option.key] = value;
    return;
  }
  const pairs = value.split(",").map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw new ConfigError(option.key, `--${option.names[0]}: give name=value (${option.description})`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  given[option.key] = { ...(given[option.key] as object | undefined), ...Object.fromEntries(pairs) };
}

function readFile(options: readonly Option[], path: string, later: readonly string[], given: Record<string, unknown>): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ConfigError("config", `--config: "${path}" cannot be used: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError("config", `--config: "${path}" must hold one JSON object with option names as keys`);
  }
  for (const [name, value] of Object.entries(parsed)) {
    const wanted = name.toLowerCase();
    const option = options.find((candidate) => candidate.names.some((known) => known.toLowerCase() === wanted));
    if (option === undefined) throw unknownOption(options, name, { program: "kcptun", names: later });
    given[option.key] = option.switch ? String(value) : option.list && typeof value === "string" ? value.split(",") : value;
  }
}

function explain(options: readonly Option[], issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): ConfigError {
  const key = String(issue.path[0] ?? "");
  const option = options.find((candidate) => candidate.key === key);
  if (option === undefined) return new ConfigError(key, issue.message);
  const shown = option.secret ? "the value given" : given[key] === undefined ? "nothing" : `"${shownValue(given[key])}"`;
  const detail = (option.pairs || option.list) && issue.message !== "" ? `; ${issue.message}` : "";
  return new ConfigError(key, `--${option.names[0]}: ${shown} is not allowed; give ${describeOption(option)}${detail}`);
}

function shownValue(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return String(value);
  return Object.entries(value)
    .map(([name, text]) => `${name}=${String(text)}`)
    .join();
}
