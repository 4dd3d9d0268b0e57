/** The accelerator's tables (accelerator-schema.ts). */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const acceleratorMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("accelerators")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("kind", "text", (c) => c.notNull())
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("ip_address_type", "text", (c) => c.notNull())
      .addColumn("enabled", "integer", (c) => c.notNull())
      .addColumn("dns", "text", (c) => c.notNull().unique())
      .addColumn("flow_logs", "integer", (c) => c.notNull())
      .addColumn("flow_logs_bucket", "text", (c) => c.notNull())
      .addColumn("flow_logs_prefix", "text", (c) => c.notNull())
      .addColumn("revision", "bigint", (c) => c.notNull())
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .addColumn("modified_at", "bigint", (c) => c.notNull())
      .execute();
    await db.schema.createIndex("accelerators_in_order").on("accelerators").columns(["kind", "created_at", "id"]).execute();
    await db.schema
      .createTable("accelerator_addresses")
      .addColumn("address", "text", (c) => c.primaryKey())
      .addColumn("accelerator_id", "text", (c) => c.notNull().references("accelerators.id"))
      .addColumn("position", "integer", (c) => c.notNull())
      .execute();
    await db.schema.createIndex("addresses_by_accelerator").on("accelerator_addresses").column("accelerator_id").execute();
    await db.schema
      .createTable("listeners")
      .addColumn("id", "text", (c) => c.notNull())
      .addColumn("accelerator_id", "text", (c) => c.notNull().references("accelerators.id"))
      .addColumn("protocol", "text", (c) => c.notNull())
      .addColumn("affinity", "text", (c) => c.notNull())
      .addColumn("port_ranges", "text", (c) => c.notNull())
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .addPrimaryKeyConstraint("listeners_key", ["accelerator_id", "id"])
      .execute();
    await db.schema
      .createTable("endpoint_groups")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("accelerator_id", "text", (c) => c.notNull())
      .addColumn("listener_id", "text", (c) => c.notNull())
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("settings", "text", (c) => c.notNull())
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .addUniqueConstraint("endpoint_groups_by_region", ["accelerator_id", "listener_id", "region"])
      .addForeignKeyConstraint("endpoint_groups_listener", ["accelerator_id", "listener_id"], "listeners", ["accelerator_id", "id"])
      .execute();
    await db.schema
      .createTable("endpoints")
      .addColumn("group_id", "text", (c) => c.notNull().references("endpoint_groups.id"))
      .addColumn("endpoint_id", "text", (c) => c.notNull())
      .addColumn("position", "integer", (c) => c.notNull())
      .addColumn("weight", "integer", (c) => c.notNull())
      .addColumn("client_ip_preservation", "integer", (c) => c.notNull())
      .addColumn("ports", "text", (c) => c.notNull())
      .addColumn("allowed", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("endpoints_key", ["group_id", "endpoint_id"])
      .execute();
    await db.schema.createIndex("endpoints_by_id").on("endpoints").column("endpoint_id").execute();
    await db.schema
      .createTable("byoip_cidrs")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("state", "text", (c) => c.notNull())
      .addColumn("events", "text", (c) => c.notNull())
      .addColumn("revision", "bigint", (c) => c.notNull())
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("idempotency_tokens")
      .addColumn("operation", "text", (c) => c.notNull())
      .addColumn("token", "text", (c) => c.notNull())
      .addColumn("digest", "text", (c) => c.notNull())
      .addColumn("resource", "text", (c) => c.notNull())
      .addColumn("at", "bigint", (c) => c.notNull())
      .addPrimaryKeyConstraint("idempotency_tokens_key", ["operation", "token"])
      .execute();
    await db.schema.createIndex("idempotency_tokens_by_age").on("idempotency_tokens").column("at").execute();
    await sql`insert into revision (id, number) values (2, 0)`.execute(db);
  },
};
