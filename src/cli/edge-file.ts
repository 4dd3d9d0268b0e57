/** What an edge serves, as a file has it: edge-config.ts in JSON or YAML; the revision may be left out. */
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { type EdgeConfig, edgeConfig } from "../accelerate/edge-config.ts";
import { ConfigError } from "../base/errors.ts";

const ALIASES_MAX = 100;

/** @throws ConfigError */
export function readEdgeFile(path: string, revision: number): EdgeConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError("file", `--file: "${path}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return parseEdgeConfig(text, path, revision);
}

/** `name`: of the file, for the sentence. @throws ConfigError */
export function parseEdgeConfig(text: string, name: string, revision: number): EdgeConfig {
  let given: unknown;
  try {
    given = /^\s*\{/.test(text) ? JSON.parse(text) : parseYaml(text, { maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new ConfigError("file", `"${name}" is neither JSON nor YAML: ${(error as Error).message.split("\n")[0]}`);
  }
  const whole = typeof given === "object" && given !== null && !("revision" in given) ? { revision, ...given } : given;
  const result = edgeConfig.safeParse(whole);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const where = path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
  const value = path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], whole);
  throw new ConfigError(
    where,
    `"${name}": ${where === "" ? "the whole" : where} is ${JSON.stringify(value)?.slice(0, 100) ?? "not given"}: ${message}`,
  );
}
