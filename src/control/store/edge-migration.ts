/** The edges' tables (edge-schema.ts). */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const edgeMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("edge_authority")
      .addColumn("id", "integer", (c) => c.primaryKey())
      .addColumn("certificate", "text", (c) => c.notNull())
      .addColumn("key_sealed", "text", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("edge_tokens")
      .addColumn("hash", "text", (c) => c.primaryKey())
      .addColumn("label", "text", (c) => c.notNull())
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .addColumn("expires_at", "bigint", (c) => c.notNull())
      .addColumn("used_at", "bigint")
      .execute();
    await db.schema
      .createTable("edges")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("label", "text", (c) => c.notNull())
      .addColumn("joined_at", "bigint", (c) => c.notNull())
      .addColumn("seen_at", "bigint", (c) => c.notNull())
      .addColumn("release", "text", (c) => c.notNull())
      .addColumn("revision", "bigint", (c) => c.notNull())
      .addColumn("refused", "text", (c) => c.notNull())
      .addColumn("problems", "integer", (c) => c.notNull())
      .addColumn("report", "text", (c) => c.notNull())
      .addColumn("health", "text", (c) => c.notNull())
      .execute();
  },
};
