/**
 * Playback keys: ImportPlaybackKeyPair, GetPlaybackKeyPair, ListPlaybackKeyPairs, DeletePlaybackKeyPair. The public half of an EC key on P-384: whoever holds the
 * private half signs the tokens that private channels ask for.
 */
import { createHash, createPublicKey } from "node:crypto";
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { page, parseToken } from "../aws/paging.ts";
import { conflict, notFound, quotaExceeded, validation } from "../aws/service-error.ts";
import { randomId } from "../random-id.ts";
import { changed, type Database } from "../store/database.ts";
import type { PlaybackKeyPairRow } from "../store/schema.ts";
import { arnOf, idOf } from "./arn.ts";
import { afterwards } from "./channel-row.ts";
import type { IvsContext } from "./context.ts";
import * as shapes from "./shapes.ts";
import { dropTags, setTags, type Tags, tagsOf, tagsOfMany } from "./tags.ts";

export const playbackKeyPairOperations = {
  ImportPlaybackKeyPair: operation({
    input: z.object({ publicKeyMaterial: z.string().max(10_000), name: shapes.name.optional(), tags: shapes.tags.optional() }),
    role: "admin",
    resource: ({ name = "" }) => name,
    run: (context: IvsContext, { publicKeyMaterial, name = "", tags = {} }) =>
      context.database
        .transaction()
        .execute(async (trx) => {
          const { pem, fingerprint } = publicKey(publicKeyMaterial);
          const rows = await trx.selectFrom("playback_key_pairs").select("fingerprint").execute();
          if (rows.some((row) => row.fingerprint === fingerprint)) throw conflict("this key was imported before");
          if (rows.length >= context.quotas.playbackKeyPairs)
            throw quotaExceeded(`there are ${rows.length} playback keys, as many as are allowed`);
          const row: PlaybackKeyPairRow = { id: randomId(12), name, fingerprint, public_key: pem, created_at: context.now() };
          await trx.insertInto("playback_key_pairs").values(row).execute();
          await setTags(trx, arnOf(context.place, "playback-key", row.id), tags);
          await changed(trx);
          return { keyPair: view(context, row, tags) };
        })
        .then(afterwards(context)),
  }),
  GetPlaybackKeyPair: operation({
    input: z.object({ arn: shapes.arn("playback-key") }),
    role: "read-only",
    async run(context: IvsContext, { arn }) {
      return { keyPair: view(context, await byArn(context.database, context, arn), await tagsOf(context.database, arn)) };
    },
  }),
  ListPlaybackKeyPairs: operation({
    input: z.object(shapes.paging),
    role: "read-only",
    async run(context: IvsContext, { nextToken, maxResults = 100 }) {
      const after = parseToken(nextToken);
      let query = context.database
        .selectFrom("playback_key_pairs")
        .selectAll()
        .orderBy("created_at")
        .orderBy("id")
        .limit(maxResults + 1);
      if (after !== undefined)
        query = query.where(({ eb, refTuple, tuple }) => eb(refTuple("created_at", "id"), ">", tuple(after.createdAt, after.id)));
      const listed = page(await query.execute(), maxResults);
      const tags = await tagsOfMany(
        context.database,
        listed.rows.map(({ id }) => arnOf(context.place, "playback-key", id)),
      );
      const keyPairs = listed.rows.map((row) => {
        const arn = arnOf(context.place, "playback-key", row.id);
        return { arn, name: row.name, tags: tags.get(arn) ?? {} };
      });
      return { keyPairs, nextToken: listed.nextToken };
    },
  }),
  DeletePlaybackKeyPair: operation({
    input: z.object({ arn: shapes.arn("playback-key") }),
    role: "admin",
    resource: ({ arn }) => arn,
    run: (context: IvsContext, { arn }) =>
      context.database
        .transaction()
        .execute(async (trx) => {
          const { id } = await byArn(trx, context, arn);
          await trx.deleteFrom("playback_key_pairs").where("id", "=", id).execute();
          await dropTags(trx, arn);
          await changed(trx);
          return {};
        })
        .then(afterwards(context)),
  }),
};

async function byArn(database: Database, { place }: IvsContext, arn: string): Promise<PlaybackKeyPairRow> {
  const id = idOf(place, "playback-key", arn);
  const row =
    id === undefined ? undefined : await database.selectFrom("playback_key_pairs").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(`Playback Key Pair: ${arn} not found`);
  return row;
}

/** @throws ServiceError when it is not the PEM of a public key on P-384 */
function publicKey(material: string): { readonly pem: string; readonly fingerprint: string } {
  try {
    const key = createPublicKey(material);
    if (key.asymmetricKeyDetails?.namedCurve !== "secp384r1" || material.includes("PRIVATE")) throw new Error("another key");
    const der = key.export({ type: "spki", format: "der" });
    const fingerprint = createHash("md5").update(der).digest("hex").match(/../g)!.join(":");
    return { pem: key.export({ type: "spki", format: "pem" }).toString(), fingerprint };
  } catch {
    throw validation("publicKeyMaterial must be the PEM of a public ECDSA key on the curve P-384");
  }
}

function view({ place }: IvsContext, { id, name, fingerprint }: PlaybackKeyPairRow, tags: Tags) {
  return { arn: arnOf(place, "playback-key", id), name, fingerprint, tags };
}
