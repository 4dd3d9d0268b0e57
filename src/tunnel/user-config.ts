/**
 * A user of a server: a key of its own on the port that all share, and limits. One entry of the array "users" of the JSON configuration, or of
 * the file that --users names (cli/users-file.ts reads it and puts the key in the place of keyfile or keyenv).
 */
import { z } from "zod";
import { type CipherName, cipherNames } from "../cipher/names.ts";

const count = (least: number, most: number) => z.number().int().min(least).max(most);
/** Slower than this, a session could not even keep itself alive. */
const rate = z.union([z.literal(0), count(1000, 2 ** 40)]).default(0);

export const userConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.@+-]{1,64}$/)
    .describe("1 to 64 letters, digits or _ . @ + -; what logs and reports call the user"),
  key: z.string().min(1).describe("the user's secret, a text").meta({ secret: true }),
  crypt: z
    .enum(cipherNames as readonly [CipherName, ...CipherName[]])
    .optional()
    .describe(`the user's cipher, as option crypt if not given: one of ${cipherNames.join(", ")}`),
  sessions: count(0, 65_536).default(0).describe("most sessions at once, a whole number from 0 to 65536, 0 = as many as the server takes"),
  streams: count(0, 1_000_000)
    .default(0)
    .describe("most connections of all sessions together, a whole number from 0 to 1000000, 0 = no limit"),
  rateup: rate.describe("most bytes a second from the user to the targets, 0 = no limit or a whole number from 1000 on"),
  ratedown: rate.describe("most bytes a second of datagrams to the user, 0 = no limit or a whole number from 1000 on"),
  quota: count(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe(
      "most bytes of both directions since the server began, or, with option state, since that file did, a whole number, 0 = no limit; then the user's sessions end",
    ),
  targets: z
    .array(z.string().min(1))
    .max(1024)
    .optional()
    .describe("names of the targets and reverse listeners the user may ask for, an array of texts; all if not given"),
});

export type UserConfig = z.output<typeof userConfig>;

/** A user as it is written: the key itself, or the file or the variable that holds it. */
export const userEntry = userConfig.extend({
  key: userConfig.shape.key.optional(),
  keyfile: z
    .string()
    .min(1)
    .optional()
    .describe("file that holds the user's secret, relative to the users file; one newline at its end is no part of it"),
  keyenv: z.string().min(1).optional().describe("name of the environment variable that holds the user's secret"),
});
