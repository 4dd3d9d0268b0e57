/**
 * Join tokens: who has one may become an edge, once. The store has only the hash of its secret.
 *
 *   lhj1.base64url( JSON { c: ["https://control.example:4433", …], f: SHA-256 of the authority's certificate, s: secret } )
 */
import { createHash } from "node:crypto";
import { formatJoinToken } from "../../accelerate/join-token.ts";
import { randomId } from "../random-id.ts";
import type { Database } from "../store/database.ts";
import type { Authority } from "./authority.ts";

const SECRET_LENGTH = 32;

export interface JoinTokenRow {
  readonly label: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | undefined;
}

export class JoinTokens {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `addresses`: where control processes are reached, "host:port". The answer is told once. */
  async create(authority: Authority, addresses: readonly string[], label: string, now: number, lifetime: number): Promise<string> {
    const secret = randomId(SECRET_LENGTH);
    const row = { hash: hashOf(secret), label, created_at: now, expires_at: now + lifetime, used_at: null };
    await this.#database.insertInto("edge_tokens").values(row).execute();
    return formatJoinToken({ addresses, fingerprint: authority.fingerprint, secret });
  }

  /** Uses the token up; its label. Undefined: there is none such, it was used, or its time is over. Of two who try at once one succeeds. */
  async redeem(secret: string, now: number): Promise<string | undefined> {
    const row = await this.#database
      .updateTable("edge_tokens")
      .set({ used_at: now })
      .where("hash", "=", hashOf(secret))
      .where("used_at", "is", null)
      .where("expires_at", ">", now)
      .returning("label")
      .executeTakeFirst();
    return row?.label;
  }

  async list(): Promise<JoinTokenRow[]> {
    const rows = await this.#database.selectFrom("edge_tokens").selectAll().orderBy("created_at").execute();
    return rows.map(({ label, created_at, expires_at, used_at }) => ({
      ...{ label, createdAt: created_at, expiresAt: expires_at, usedAt: used_at ?? undefined },
    }));
  }

  /** Forgets those whose time is over for a day. */
  async sweep(now: number): Promise<void> {
    await this.#database
      .deleteFrom("edge_tokens")
      .where("expires_at", "<", now - DAY_MS)
      .execute();
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

const DAY_MS = 86_400_000;
