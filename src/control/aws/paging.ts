/** Lists in pages: the next one begins after the row that the token names. A token is the place, not a state: it stays right while rows come and go. */
import { type ServiceError, validation } from "./service-error.ts";

/** Rows are listed by when they were made, then by id. */
export interface Place {
  readonly createdAt: number;
  readonly id: string;
}

/** @throws ServiceError, as `refuse` makes it, when it is no token of ours */
export function parseToken(token: string | undefined, refuse: (message: string) => ServiceError = validation): Place | undefined {
  if (token === undefined || token === "") return undefined;
  const parts = /^(\d{1,15})\.([\w-]{1,64})$/.exec(Buffer.from(token, "base64url").toString("latin1"));
  if (parts === null) throw refuse("nextToken is not one that was given");
  return { createdAt: Number(parts[1]), id: parts[2]! };
}

/** Of `rows`, of which one more than `max` was asked for, those of the page and the token of the next. */
export function page<Row extends { readonly id: string; readonly created_at: number }>(
  rows: readonly Row[],
  max: number,
): { readonly rows: readonly Row[]; readonly nextToken?: string } {
  if (rows.length <= max) return { rows };
  const { created_at, id } = rows[max - 1]!;
  return { rows: rows.slice(0, max), nextToken: Buffer.from(`${created_at}.${id}`, "latin1").toString("base64url") };
}
