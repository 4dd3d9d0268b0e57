/** A database of a test's own, on either engine. */
import pg from "pg";
import { randomId } from "../random-id.ts";

/** SQLite in memory, or where LONGHAUL_TEST_DATABASE names a PostgreSQL server, a database on it that is dropped afterwards. */
export async function emptyDatabase(): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const server = process.env.LONGHAUL_TEST_DATABASE;
  if (server === undefined) return { url: ":memory:", drop: async () => {} };
  const name = `longhaul_${randomId(12, "abcdefghijklmnopqrstuvwxyz")}`;
  const ask = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await ask(`create database ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => ask(`drop database ${name}`) };
}
