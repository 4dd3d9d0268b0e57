/** Who did what, and how it came out. Kept for a while and up to a number of entries; the oldest go first. */
import type { Database } from "./store/database.ts";

export interface AuditEntry {
  /** Unix ms. */
  readonly at: number;
  readonly accessKey: string;
  readonly operation: string;
  readonly resource: string;
  /** "ok", or the error's code. */
  readonly outcome: string;
}

/** Old entries are looked for once in so many. */
const SWEEP_EVERY = 1000;

export class Audit {
  readonly #database: Database;
  readonly #max: number;
  #added = 0;

  constructor(database: Database, max = 1_000_000) {
    this.#database = database;
    this.#max = max;
  }

  async add({ at, accessKey, operation, resource, outcome }: AuditEntry): Promise<void> {
    const row = await this.#database
      .insertInto("audit")
      .values({ at, access_key: accessKey, operation, resource, outcome })
      .returning("id")
      .executeTakeFirst();
    this.#added++;
    if (row !== undefined && this.#added % SWEEP_EVERY === 0) {
      await this.#database
        .deleteFrom("audit")
        .where("id", "<=", row.id - this.#max)
        .execute();
    }
  }

  /** The latest, newest first. */
  async latest(count: number): Promise<AuditEntry[]> {
    const rows = await this.#database.selectFrom("audit").selectAll().orderBy("id", "desc").limit(count).execute();
    return rows.map(({ at, access_key, operation, resource, outcome }) => ({ at, accessKey: access_key, operation, resource, outcome }));
  }
}
