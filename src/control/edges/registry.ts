/** The edges that have joined, and what they told last: in the store, since an edge may be connected to any control process. */
import type { EdgeReport, EndpointReport } from "../../accelerate/edge-stream.ts";
import { type EdgeReports, type HealthState, healthKey } from "../accelerator/context.ts";
import type { Database } from "../store/database.ts";

export interface JoinedEdge {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly joinedAt: number;
  readonly seenAt: number;
  readonly release: string;
  readonly revision: number;
  readonly refused: string;
  readonly problems: number;
  readonly report: Omit<EdgeReport, "health" | "whole"> | undefined;
}

type Health = Record<string, HealthState>;

export class EdgeRegistry implements EdgeReports {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(edge: { readonly id: string; readonly name: string; readonly label: string }, now: number): Promise<void> {
    const blank = { release: "", revision: -1, refused: "", problems: 0, report: "", health: "{}" };
    await this.#database
      .insertInto("edges")
      .values({ ...edge, ...blank, joined_at: now, seen_at: now })
      .execute();
  }

  async has(id: string): Promise<boolean> {
    return (await this.#database.selectFrom("edges").select("id").where("id", "=", id).executeTakeFirst()) !== undefined;
  }

  /** Its certificate is worth nothing from now on. False: there was none. */
  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.deleteFrom("edges").where("id", "=", id).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  async list(): Promise<JoinedEdge[]> {
    const rows = await this.#database.selectFrom("edges").selectAll().orderBy("joined_at").orderBy("id").execute();
    return rows.map(({ id, name, label, joined_at, seen_at, release, revision, refused, problems, report }) => ({
      ...{ id, name, label, joinedAt: joined_at, seenAt: seen_at, release, revision, refused, problems },
      report: report === "" ? undefined : (JSON.parse(report) as JoinedEdge["report"]),
    }));
  }

  async greeted(id: string, release: string, name: string, now: number): Promise<void> {
    await this.#set(id, { release, seen_at: now, ...(name === "" ? {} : { name }) });
  }

  async applied(id: string, revision: number, problems: number, now: number): Promise<void> {
    await this.#set(id, { revision, problems, refused: "", seen_at: now });
  }

  async refused(id: string, revision: number, reason: string, now: number): Promise<void> {
    await this.#set(id, { refused: `revision ${revision}: ${reason}`, seen_at: now });
  }

  async seen(id: string, now: number): Promise<void> {
    await this.#set(id, { seen_at: now });
  }

  async reported(id: string, report: EdgeReport, health: ReadonlyMap<string, HealthState>, now: number): Promise<void> {
    const { health: _health, whole: _whole, ...rest } = report;
    await this.#set(id, { report: JSON.stringify(rest), health: JSON.stringify(Object.fromEntries(health)), seen_at: now });
  }

  async acknowledged(): Promise<number | undefined> {
    const { least } = await this.#database
      .selectFrom("edges")
      .select((eb) => eb.fn.min("revision").as("least"))
      .executeTakeFirstOrThrow();
    return least === null ? undefined : Number(least);
  }

  /** Healthy is what one edge at least sees healthy. */
  async health(groups: readonly string[]): Promise<ReadonlyMap<string, HealthState>> {
    const wanted = new Set(groups);
    const states = new Map<string, HealthState>();
    const rows = await this.#database.selectFrom("edges").select("health").execute();
    for (const { health } of rows)
      for (const [key, state] of Object.entries(JSON.parse(health) as Health))
        if (wanted.has(key.slice(0, key.indexOf(" "))) && RANK[state] > RANK[states.get(key) ?? "INITIAL"]) states.set(key, state);
    return states;
  }

  async #set(
    id: string,
    values: Partial<{
      release: string;
      name: string;
      seen_at: number;
      revision: number;
      problems: number;
      refused: string;
      report: string;
      health: string;
    }>,
  ) {
    await this.#database.updateTable("edges").set(values).where("id", "=", id).execute();
  }
}

/** What an edge told of its endpoints until now. */
export function mergeHealth(known: Map<string, HealthState>, whole: boolean, changes: readonly EndpointReport[]): void {
  if (whole) known.clear();
  for (const { group, endpoint, state } of changes) known.set(healthKey(group, endpoint), state);
}

const RANK: Readonly<Record<HealthState, number>> = { INITIAL: 0, UNHEALTHY: 1, HEALTHY: 2 };
