/**
 * Playback keys: ImportPlaybackKeyPair, GetPlaybackKeyPair, ListPlaybackKeyPairs, DeletePlaybackKeyPair. The public half of an EC key on P-384: whoever holds the
 * private half signs the tokens that private channels ask for.
 */
import { createHash, createPublicKey } from "node:crypto";
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { conflict, quotaExceeded, validation } from "../aws/service-error.ts";
import { randomId } from "../random-id.ts";
import { changed } from "../store/database.ts";
import type { PlaybackKeyPairRow } from "../store/schema.ts";
import { setTags, type Tags, tagsOf } from "../tags.ts";
import { arnOf } from "./arn.ts";
import type { IvsContext } from "./context.ts";
import { afterwards, Resources } from "./resources.ts";
import * as shapes from "./shapes.ts";

const rows = new Resources("playback-key", "playback_key_pairs", "Playback Key Pair");

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
          const known = await trx.selectFrom("playback_key_pairs").select("fingerprint").execute();
          if (known.some((row) => row.fingerprint === fingerprint)) throw conflict("this key was imported before");
          if (known.length >= context.quotas.playbackKeyPairs)
            throw quotaExceeded(`there are ${known.length} playback keys, as many as are allowed`);
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
      return { keyPair: view(context, await rows.byArn(context.database, context, arn), await tagsOf(context.database, arn)) };
    },
  }),
  ListPlaybackKeyPairs: operation({
    input: z.object(shapes.paging),
    role: "read-only",
    async run(context: IvsContext, { nextToken, maxResults = 100 }) {
      const { entries, nextToken: next } = await rows.page(context, { nextToken, maxResults });
      return { keyPairs: entries.map(({ arn, row, tags }) => ({ arn, name: row.name, tags })), nextToken: next };
    },
  }),
  DeletePlaybackKeyPair: operation({
    input: z.object({ arn: shapes.arn("playback-key") }),
    role: "admin",
    resource: ({ arn }) => arn,
    run: async (context: IvsContext, { arn }) => (await rows.delete(context, arn)) ?? {},
  }),
};

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
