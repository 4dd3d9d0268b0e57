/**
 * The main thread's side of the ledger of users (tunnel/user-ledger.ts): gives every user a row, and keeps what all have used in the file of option
 * state, so that quotas hold over a restart.
 *
 *   { "users": { "ann": { "received": 1234, "sent": 5678 }, … } }        bytes of applications, from the user and to it
 *
 * The file is replaced whole, by a rename, every SAVE_MS when something has changed and when the program ends; a crash loses what came after the last
 * time. Users that are no more keep their entry, for they may come back.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";
import type { Log } from "../host/log.ts";
import type { ServerConfig } from "../tunnel/config.ts";
import type { UserConfig } from "../tunnel/user-config.ts";
import { RECEIVED, SENT, UserLedger } from "../tunnel/user-ledger.ts";
import { USERS_MAX } from "../tunnel/user-list.ts";

const SAVE_MS = 10_000;
/** Rows: users come and go by reloads, and one that is gone keeps its row. */
const ROWS_MAX = 2 * USERS_MAX;

interface Used {
  readonly received: number;
  readonly sent: number;
}

/** What a thread needs to make its ledger. */
export interface LedgerShare {
  readonly memory: SharedArrayBuffer;
  readonly threads: number;
  readonly thread: number;
}

export class UserAccounts {
  readonly #memory: SharedArrayBuffer;
  readonly #threads: number;
  readonly #ledger: UserLedger;
  readonly #rows = new Map<string, number>();
  readonly #path: string;
  readonly #log: Log;
  /** From the file, by name. */
  readonly #past: ReadonlyMap<string, Used>;
  #saved = "";
  readonly #timer: NodeJS.Timeout | undefined;

  /** @throws ConfigError when the file cannot be used */
  constructor({ state }: Pick<ServerConfig, "state">, threads: number, log: Log) {
    this.#path = state;
    this.#log = log;
    this.#threads = threads;
    this.#memory = new SharedArrayBuffer(UserLedger.bytesFor(ROWS_MAX, threads));
    this.#ledger = new UserLedger(threads, 0, this.#memory);
    this.#past = state === "" ? new Map() : readState(state);
    if (state === "") return;
    this.#timer = setInterval(() => this.save(), SAVE_MS).unref();
  }

  share(thread: number): LedgerShare {
    return { memory: this.#memory, threads: this.#threads, thread };
  }

  /** The same configuration with a row for each user. @throws ConfigError when there have been too many since the program began */
  place(config: ServerConfig): ServerConfig {
    if (!Array.isArray(config.users)) return config;
    const users = (config.users as UserConfig[]).map((user) => ({ ...user, row: this.#rowOf(user.name) }));
    return { ...config, users };
  }

  /** Writes the file if something has changed. */
  save(): void {
    if (this.#path === "") return;
    const users = Object.fromEntries(this.#past);
    for (const [name, row] of this.#rows)
      users[name] = { received: this.#ledger.total(row, RECEIVED), sent: this.#ledger.total(row, SENT) };
    const text = `${JSON.stringify({ users }, undefined, 1)}\n`;
    if (text === this.#saved) return;
    try {
      replaceFile(this.#path, text);
      this.#saved = text;
    } catch (error) {
      this.#log.error({ state: this.#path, reason: (error as Error).message }, "what users have used could not be saved");
    }
  }

  /** The threads have ended: saves a last time. */
  close(): void {
    clearInterval(this.#timer);
    this.save();
  }

  #rowOf(name: string): number {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const row = this.#rows.size;
    if (row >= ROWS_MAX)
      throw new ConfigError("users", `--users: more than ${ROWS_MAX} names since the program began are not allowed; start it anew`);
    this.#rows.set(name, row);
    const { received, sent } = this.#past.get(name) ?? { received: 0, sent: 0 };
    this.#ledger.writePast(row, received, sent);
    return row;
  }
}

/** Reads the file, and writes it as it is, to see that it can be. @throws ConfigError */
export function readState(path: string): Map<string, Used> {
  const refuse = (why: string): never => {
    throw new ConfigError(
      "state",
      `--state: "${path}" cannot be used: ${why}; give a file that this program has written, or one that does not exist`,
    );
  };
  let text: string | undefined;
  let parsed: unknown = { users: {} };
  try {
    text = existsSync(path) ? readFileSync(path, "utf8") : undefined;
    if (text !== undefined) parsed = JSON.parse(text);
    replaceFile(path, text ?? `${JSON.stringify(parsed)}\n`);
  } catch (error) {
    refuse((error as Error).message);
  }
  const users = (parsed as { users?: unknown } | null)?.users;
  if (typeof users !== "object" || users === null) refuse('it holds no "users"');
  const all = new Map<string, Used>();
  for (const [name, used] of Object.entries(users as Record<string, Partial<Used> | null>)) {
    const { received, sent } = used ?? {};
    if (!isCount(received) || !isCount(sent)) refuse(`what "${name}" has used is not two counts of bytes`);
    else all.set(name, { received, sent });
  }
  return all;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** As one step: whoever reads sees the old text or the new one, also after a crash. */
function replaceFile(path: string, text: string): void {
  const next = `${path}.next`;
  const fd = openSync(next, "w", 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(next, path);
}
