/**
 * The users of a server, from the file that --users names or from the array in the JSON configuration:
 *
 *   [{ "name": "ann", "key": "…" }, { "name": "bob", "keyfile": "bob.key", "ratedown": 1000000 }, { "name": "eve", "keyenv": "EVE_KEY" }]
 *
 * Keys are put where their files and variables are named. No message says a key.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import type { ServerConfig } from "../tunnel/config.ts";
import { type UserConfig, userEntry } from "../tunnel/user-config.ts";
import { checkUsers } from "../tunnel/user-list.ts";
import { defaultKey } from "./default-key.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Entry = z.output<typeof userEntry>;

/** A configuration that names users, with their keys in it. @throws ConfigError with one sentence */
export function withUsers(config: ServerConfig, env: Environment = process.env): ServerConfig {
  if (config.users === "") return config;
  const path = typeof config.users === "string" ? config.users : undefined;
  const entries = parseEntries(path === undefined ? config.users : readFile(path));
  if (entries.length === 0) throw new ConfigError("users", "--users: no user is given; give at least one, or leave it out and give --key");
  if (config.key !== defaultKey)
    throw new ConfigError("key", "--key: not allowed together with --users, where each user has a key of its own; leave one of them out");
  const users = entries.map((entry) => keyed(entry, path === undefined ? "." : dirname(path), env));
  checkUsers(users, config.crypt);
  return { ...config, users };
}

function readFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ConfigError("users", `--users: "${path}" cannot be used: ${reason(error)}`);
  }
}

function parseEntries(given: unknown): Entry[] {
  if (!Array.isArray(given)) throw new ConfigError("users", "--users: not an array is given; give a JSON array of users");
  const result = z.array(userEntry).safeParse(given);
  if (result.success) return result.data;
  throw explain(result.error.issues[0]!, given);
}

/** One sentence for what is wrong with an entry. */
function explain(issue: z.core.$ZodIssue, given: readonly unknown[]): ConfigError {
  const [index, field] = issue.path;
  const where = `users[${String(index)}]`;
  if (field === undefined) {
    const unknown = "keys" in issue ? ` "${issue.keys[0]}" is not known;` : " is not a user;";
    return new ConfigError("users", `--users: ${where}:${unknown} give an object with ${Object.keys(userEntry.shape).join(", ")}`);
  }
  const value = (given[Number(index)] as Record<string, unknown>)[String(field)];
  const shown = field === "key" ? "the value given" : value === undefined ? "nothing" : JSON.stringify(value);
  const { description = "" } = userEntry.shape[field as keyof typeof userEntry.shape];
  return new ConfigError("users", `--users: ${where}.${String(field)}: ${shown} is not allowed; give ${description}`);
}

function keyed({ key, keyfile, keyenv, ...user }: Entry, folder: string, env: Environment): UserConfig {
  const given = [key, keyfile, keyenv].filter((way) => way !== undefined);
  if (given.length !== 1) {
    throw new ConfigError("users", `--users: "${user.name}" has ${given.length} of key, keyfile and keyenv; give exactly one`);
  }
  if (key !== undefined) return { ...user, key };
  const secret = keyfile === undefined ? env[keyenv!] : readKey(user.name, resolve(folder, keyfile));
  if (secret === undefined || secret === "") {
    throw new ConfigError("users", `--users: the key of "${user.name}" is empty; ${keyfile ?? `the variable ${keyenv}`} must hold it`);
  }
  return { ...user, key: secret };
}

function readKey(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new ConfigError("users", `--users: the keyfile of "${name}" cannot be read: ${reason(error)}`);
  }
}

/** JSON.parse quotes what it stumbles over, which may be a key. */
function reason(error: unknown): string {
  return error instanceof SyntaxError ? "it is not JSON" : (error as Error).message;
}
