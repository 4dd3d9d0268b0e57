/**
 * The store: one schema and one query layer over SQLite in a file, or any database that speaks PostgreSQL's protocol.
 *
 *   openDatabase("/var/lib/longhaul/longhaul.db")      openDatabase("postgres://user@host/longhaul")
 */
import { Kysely, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { HostError } from "../../base/errors.ts";
import { migrations } from "./migrations.ts";
import type { Schema } from "./schema.ts";
import { sqliteDialect } from "./sqlite.ts";

export type Database = Kysely<Schema>;

const POSTGRES = /^postgres(ql)?:\/\//;
const CONNECTIONS_MAX = 10;

/** Brought up to date by the migrations it lacks. @throws HostError (as a rejection) when it cannot be reached, or is of a newer version */
export async function openDatabase(url: string): Promise<Database> {
  const postgres = POSTGRES.test(url);
  const database = new Kysely<Schema>({ dialect: dialectOf(url, postgres) });
  const migrator = new Migrator({ db: database, provider: migrations(postgres ? "postgres" : "sqlite") });
  const { error } = await migrator.migrateToLatest().catch((error: unknown) => ({ error }));
  if (error === undefined) return database;
  await database.destroy();
  throw new HostError((error as { code?: string }).code ?? "EDATABASE", "open", postgres ? new URL(url).host : url, error);
}

function dialectOf(url: string, postgres: boolean) {
  if (postgres) {
    const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS_MAX, types: numbers });
    // A connection that breaks while nobody uses it is made anew by the next query; unheard, its error would end the process.
    pool.on("error", () => {});
    return new PostgresDialect({ pool });
  }
  try {
    return sqliteDialect(url);
  } catch (error) {
    throw new HostError((error as { code?: string }).code ?? "EDATABASE", "open", url, error);
  }
}

/** bigint columns hold times and counts below 2^53: as numbers, like SQLite's. */
const INT8 = 20;
const numbers = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as "text")) as typeof pg.types.getTypeParser,
};

/** What other processes follow: each part has a number that grows with every change. */
const revisionRows = { live: 1, accelerator: 2 } as const;
export type Part = keyof typeof revisionRows;

/**
 * Within a transaction that changes what other processes follow; the new number. Called first, it makes changes of all processes come one after another: what
 * is looked at afterwards stays so until the end.
 */
export async function changed(database: Database, part: Part = "live"): Promise<number> {
  const { number } = await database
    .updateTable("revision")
    .set((eb) => ({ number: eb("number", "+", 1) }))
    .where("id", "=", revisionRows[part])
    .returning("number")
    .executeTakeFirstOrThrow();
  return Number(number);
}

export async function revisionOf(database: Database, part: Part): Promise<number> {
  const query = database.selectFrom("revision").select("number").where("id", "=", revisionRows[part]);
  return Number((await query.executeTakeFirstOrThrow()).number);
}
