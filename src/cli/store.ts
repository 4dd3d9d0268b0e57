/**
 * The store of an installation, as every command opens it:
 *
 *   FOLDER/longhaul.db     all that is stored, unless --database names a PostgreSQL database
 *   FOLDER/master.key      what secrets in it are sealed with
 *   FOLDER/credentials     the first access key, in the form that AWS's tools read; yours to move elsewhere
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { Credentials } from "../control/credentials.ts";
import { masterKey, Seal } from "../control/seal.ts";
import { type Database, openDatabase } from "../control/store/database.ts";
import type { Log } from "../host/log.ts";

export interface Store {
  readonly database: Database;
  readonly seal: Seal;
  readonly master: Uint8Array;
  readonly credentials: Credentials;
}

/** A key deleted by another process is refused at the latest after this. */
export const FORGET_MS = 10_000;

/** `url` of a PostgreSQL database, or empty. @throws ConfigError, HostError */
export async function openStore(folder: string, url: string): Promise<Store> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError("data", `--data: the folder "${folder}" cannot be made (${(error as NodeJS.ErrnoException).code})`);
  }
  const path = join(folder, "master.key");
  const master = masterKey(path);
  const database = await openDatabase(url === "" ? join(folder, "longhaul.db") : url);
  const seal = new Seal(master);
  const credentials = new Credentials(database, seal);
  if (await credentials.readable()) return { database, seal, master, credentials };
  await database.destroy();
  throw new ConfigError("data", `--data: ${path} is not the key that this database is sealed with; copy the one that it was made with`);
}

/**
 * An installation without any access key gets one, in a file for AWS's tools: it is said nowhere else. What the user is to be told of it, or nothing;
 * `command`: what it can be tried with.
 */
export async function firstKey(credentials: Credentials, folder: string, command: string, log: Log): Promise<string> {
  if ((await credentials.count()) > 0) return "";
  const { id, secret } = await credentials.create("admin", "first", Date.now());
  const path = join(folder, "credentials");
  writeFileSync(path, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 });
  log.info({ file: path }, "the first access key was made");
  return `An access key is in ${path}:\n  AWS_SHARED_CREDENTIALS_FILE=${path} ${command}\n`;
}
