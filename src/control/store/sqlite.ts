/**
 * SQLite inside the process (node:sqlite) as Kysely's dialect wants it: write-ahead log, synchronous FULL, so that what was acknowledged outlives the
 * process and the power. Figures: reference/aws-live.md 6.2.
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type SqliteDatabase, SqliteDialect, type SqliteStatement } from "kysely";

/** Milliseconds that one process waits for another's transaction on the same file. */
const BUSY_MS = 5000;

/** `path` of the file, or ":memory:". */
export function sqliteDialect(path: string): SqliteDialect {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = ${BUSY_MS}`);
  return new SqliteDialect({ database: new Adapted(database) });
}

class Adapted implements SqliteDatabase {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  close(): void {
    this.#database.close();
  }

  prepare(sql: string): SqliteStatement {
    const statement = this.#database.prepare(sql);
    const given = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[];
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => statement.all(...given(parameters)),
      run: (parameters) => statement.run(...given(parameters)),
      iterate: (parameters) => statement.iterate(...given(parameters)),
    };
  }
}
