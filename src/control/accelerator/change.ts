/**
 * A change of what edges serve: one transaction, after those of all other processes and before the next (store/database.ts), that leaves its number with each
 * accelerator it touched. A change's status is IN_PROGRESS until every edge has acknowledged that number.
 */
import { changed, type Database } from "../store/database.ts";
import type { AcceleratorContext } from "./context.ts";

export interface Change {
  readonly trx: Database;
  readonly revision: number;
  readonly at: number;
}

export async function change<Result>(context: AcceleratorContext, act: (change: Change) => Promise<Result>): Promise<Result> {
  const { database, now } = context;
  const result = await database.transaction().execute(async (trx) => act({ trx, revision: await changed(trx, "accelerator"), at: now() }));
  context.notify?.();
  return result;
}

/** The accelerator, or something in it, is another one now. */
export async function touch({ trx, revision, at }: Change, accelerator: string): Promise<void> {
  await trx.updateTable("accelerators").set({ revision, modified_at: at }).where("id", "=", accelerator).execute();
}

/** Whether edges serve what was changed at `revision`. */
export async function deployedAt({ edges }: AcceleratorContext): Promise<(revision: number) => boolean> {
  const acknowledged = await edges.acknowledged();
  return (revision) => acknowledged === undefined || acknowledged >= revision;
}

/** What operations tell of times: seconds since 1970, with milliseconds behind the point. */
export const seconds = (ms: number): number => ms / 1000;
