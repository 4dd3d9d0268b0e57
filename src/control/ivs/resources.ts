/**
 * What all kinds of resources have in common: found by their ARN, several at once, and listed in pages, each with its tags.
 */
import { page, parseToken } from "../aws/paging.ts";
import { notFound } from "../aws/service-error.ts";
import { changed, type Database } from "../store/database.ts";
import type { Schema } from "../store/schema.ts";
import { dropTags, type Tags, tagsOfMany } from "../tags.ts";
import { arnOf, idOf, type Kind } from "./arn.ts";
import type { IvsContext } from "./context.ts";

type Table = "channels" | "stream_keys" | "playback_key_pairs" | "recording_configurations" | "playback_restriction_policies";

/** As queries give it: rows of these tables hold texts and numbers only. */
type RowOf<Name extends Table> = Schema[Name];

export interface Entry<Row> {
  readonly arn: string;
  readonly row: Row;
  readonly tags: Tags;
}

export interface Missing {
  readonly arn: string;
  readonly code: "NOT_FOUND";
  readonly message: string;
}

export class Resources<Name extends Table> {
  readonly kind: Kind;
  readonly table: Name;
  readonly #label: string;

  /** `label`: what it is called in messages. */
  constructor(kind: Kind, table: Name, label: string) {
    this.kind = kind;
    this.table = table;
    this.#label = label;
  }

  /** @throws ServiceError when there is none */
  async byArn(database: Database, { place }: Pick<IvsContext, "place">, arn: string): Promise<RowOf<Name>> {
    const id = idOf(place, this.kind, arn);
    const row = id === undefined ? undefined : (await this.#rows(database, [id]))[0];
    if (row === undefined) throw notFound(`${this.#label}: ${arn} not found`);
    return row;
  }

  /** Those that are there, in the order asked, and for each other one what the batch operations say. */
  async batch(
    context: IvsContext,
    arns: readonly string[],
  ): Promise<{ readonly entries: Entry<RowOf<Name>>[]; readonly errors: Missing[] }> {
    const { database, place } = context;
    const rows = await this.#rows(
      database,
      arns.map((arn) => idOf(place, this.kind, arn) ?? ""),
    );
    const found = new Map((await this.#entries(context, rows)).map((entry) => [entry.arn, entry]));
    const errors: Missing[] = [];
    const entries = arns.flatMap((arn) => {
      const entry = found.get(arn);
      if (entry === undefined) errors.push({ arn, code: "NOT_FOUND", message: `${this.#label}: ${arn} not found` });
      return entry ?? [];
    });
    return { entries, errors };
  }

  /** Those whose columns are as `where` says, in the order in which they were made. @throws ServiceError for a token that is none */
  async page(
    context: IvsContext,
    { nextToken, maxResults }: { readonly nextToken?: string | undefined; readonly maxResults: number },
    where: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly entries: Entry<RowOf<Name>>[]; readonly nextToken: string | undefined }> {
    const after = parseToken(nextToken);
    // Every table of a resource has id and created_at; that is all this needs to know of it.
    let query = context.database
      .selectFrom(this.table as "channels")
      .selectAll()
      .orderBy("created_at")
      .orderBy("id")
      .limit(maxResults + 1);
    for (const [column, value] of Object.entries(where)) query = query.where(column as "name", "=", value);
    if (after !== undefined)
      query = query.where(({ eb, refTuple, tuple }) => eb(refTuple("created_at", "id"), ">", tuple(after.createdAt, after.id)));
    const listed = page((await query.execute()) as unknown as (RowOf<Name> & { id: string; created_at: number })[], maxResults);
    return { entries: await this.#entries(context, listed.rows), nextToken: listed.nextToken };
  }

  /** With its tags; `before` looks at what is to go, and takes along what hangs on it. */
  delete(
    context: IvsContext,
    arn: string,
    before: (database: Database, row: RowOf<Name>) => Promise<void> = async () => {},
  ): Promise<undefined> {
    return context.database
      .transaction()
      .execute(async (trx) => {
        const row = await this.byArn(trx, context, arn);
        await before(trx, row);
        await trx
          .deleteFrom(this.table as "channels")
          .where("id", "=", row.id)
          .execute();
        await dropTags(trx, arn);
        await changed(trx);
        return undefined;
      })
      .then(afterwards(context));
  }

  async #rows(database: Database, ids: readonly string[]): Promise<RowOf<Name>[]> {
    const rows = await database
      .selectFrom(this.table as "channels")
      .selectAll()
      .where("id", "in", ids)
      .execute();
    return rows as unknown as RowOf<Name>[];
  }

  async #entries({ database, place }: IvsContext, rows: readonly RowOf<Name>[]): Promise<Entry<RowOf<Name>>[]> {
    const arns = rows.map(({ id }) => arnOf(place, this.kind, id));
    const tags = await tagsOfMany(database, arns);
    return rows.map((row, i) => ({ arn: arns[i]!, row, tags: tags.get(arns[i]!) ?? {} }));
  }
}

/** Tells the origin once the transaction is through. */
export function afterwards(context: IvsContext): <Result>(result: Result) => Promise<Result> {
  return async (result) => {
    await context.live.changed();
    return result;
  };
}
