/** Lists of what has been made, in the order in which it was: at most MaxResults, 10 if nothing is said, and the token of what follows. */
import type { SelectQueryBuilder } from "kysely";
import { page, parseToken } from "../aws/paging.ts";
import type { Schema } from "../store/schema.ts";
import { invalidNextToken } from "./exceptions.ts";
import { PAGE_DEFAULT } from "./shapes.ts";

type Listed = "accelerators" | "listeners" | "endpoint_groups" | "byoip_cidrs";

export interface Paging {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** `query` selects whole rows. @throws ServiceError for a token that is none */
export async function pageOf<Name extends Listed>(
  query: SelectQueryBuilder<Schema, Name, Schema[Name]>,
  { MaxResults = PAGE_DEFAULT, NextToken }: Paging,
): Promise<{ readonly rows: readonly Schema[Name][]; readonly NextToken?: string }> {
  const after = parseToken(NextToken, invalidNextToken);
  // Every table that is listed has id and created_at; that is all this needs to know of it.
  let ordered = (query as unknown as SelectQueryBuilder<Schema, "listeners", Schema["listeners"]>)
    .orderBy("created_at")
    .orderBy("id")
    .limit(MaxResults + 1);
  if (after !== undefined)
    ordered = ordered.where(({ eb, refTuple, tuple }) => eb(refTuple("created_at", "id"), ">", tuple(after.createdAt, after.id)));
  const listed = page(await ordered.execute(), MaxResults);
  const rows = listed.rows as unknown as readonly Schema[Name][];
  return listed.nextToken === undefined ? { rows } : { rows, NextToken: listed.nextToken };
}
