/** Tags of resources, as they are stored: at most 50 for an ARN. */
import type { Database } from "./store/database.ts";

export const TAGS_MAX = 50;

export type Tags = Record<string, string>;

export async function tagsOf(database: Database, arn: string): Promise<Tags> {
  return (await tagsOfMany(database, [arn])).get(arn) ?? {};
}

export async function tagsOfMany(database: Database, arns: readonly string[]): Promise<Map<string, Tags>> {
  const found = new Map<string, Tags>();
  if (arns.length === 0) return found;
  for (const { arn, key, value } of await database.selectFrom("tags").selectAll().where("arn", "in", arns).orderBy("key").execute()) {
    const map = found.get(arn) ?? {};
    map[key] = value;
    found.set(arn, map);
  }
  return found;
}

export async function setTags(database: Database, arn: string, given: Tags = {}): Promise<void> {
  const rows = Object.entries(given).map(([key, value]) => ({ arn, key, value }));
  if (rows.length === 0) return;
  await database
    .insertInto("tags")
    .values(rows)
    .onConflict((on) => on.columns(["arn", "key"]).doUpdateSet((eb) => ({ value: eb.ref("excluded.value") })))
    .execute();
}

export async function dropTags(database: Database, arn: string): Promise<void> {
  await database.deleteFrom("tags").where("arn", "=", arn).execute();
}
