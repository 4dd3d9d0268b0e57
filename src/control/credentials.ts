/** Access keys: who may use the API, and for what. A secret is shown once, when its key is made; it is kept sealed, for signatures are checked with it. */

import { randomId } from "./random-id.ts";
import type { Seal } from "./seal.ts";
import type { Database } from "./store/database.ts";

/** read-only: looks. operator: runs streams and rotates keys. admin: all. */
export const roles = ["read-only", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

export interface AccessKey {
  readonly id: string;
  readonly role: Role;
  readonly label: string;
  /** Unix ms. */
  readonly createdAt: number;
}

export interface Identity {
  readonly role: Role;
  readonly secret: string;
}

/** AWS's own keys look so, and some tools insist. */
const ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ID_RANDOM = 16;
const SECRET_LENGTH = 40;
export const ACCESS_KEYS_MAX = 1000;

export class Credentials {
  readonly #database: Database;
  readonly #seal: Seal;
  /** Opened secrets: a row is read and opened once. */
  readonly #known = new Map<string, Identity>();

  constructor(database: Database, seal: Seal) {
    this.#database = database;
    this.#seal = seal;
  }

  async count(): Promise<number> {
    const { n } = await this.#database
      .selectFrom("access_keys")
      .select((eb) => eb.fn.countAll<number>().as("n"))
      .executeTakeFirstOrThrow();
    return Number(n);
  }

  /** Whether the seal is the one that the database's secrets were sealed with. */
  async readable(): Promise<boolean> {
    const row = await this.#database.selectFrom("access_keys").select(["id", "secret_sealed"]).executeTakeFirst();
    if (row === undefined) return true;
    try {
      this.#seal.open(purpose(row.id), row.secret_sealed);
      return true;
    } catch {
      return false;
    }
  }

  async create(role: Role, label: string, now: number): Promise<{ readonly id: string; readonly secret: string }> {
    const id = `AKIA${randomId(ID_RANDOM, ID_LETTERS)}`;
    const secret = randomId(SECRET_LENGTH);
    const secret_sealed = this.#seal.seal(purpose(id), secret);
    await this.#database.insertInto("access_keys").values({ id, secret_sealed, role, label, created_at: now }).execute();
    return { id, secret };
  }

  async list(): Promise<AccessKey[]> {
    const rows = await this.#database
      .selectFrom("access_keys")
      .select(["id", "role", "label", "created_at"])
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    return rows.map(({ id, role, label, created_at }) => ({ id, role: role as Role, label, createdAt: created_at }));
  }

  /** False: there was none. Another process of the same store goes on believing it for up to `forget`'s interval. */
  async delete(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.deleteFrom("access_keys").where("id", "=", id).executeTakeFirst();
    this.#known.delete(id);
    return numDeletedRows > 0n;
  }

  async identity(id: string): Promise<Identity | undefined> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const row = await this.#database.selectFrom("access_keys").select(["secret_sealed", "role"]).where("id", "=", id).executeTakeFirst();
    if (row === undefined) return undefined;
    const identity = { role: row.role as Role, secret: this.#seal.open(purpose(id), row.secret_sealed) };
    this.#known.set(id, identity);
    return identity;
  }

  /** Reads them anew from now on: another process may have deleted one. */
  forget(): void {
    this.#known.clear();
  }
}

/** The secret behind a key, as a check of signatures asks for it. */
export function secretOf(credentials: Credentials): (id: string) => Promise<string | undefined> {
  return async (id) => (await credentials.identity(id))?.secret;
}

/** Whether a role includes what another may do. */
export function includes(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

function purpose(id: string): string {
  return `access-key/${id}`;
}
