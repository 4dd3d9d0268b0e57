/** Shapes that operations of IVS share, with the limits of its published model (reference/aws-live.md 1.1). */
import { z } from "zod";
import type { Kind } from "./arn.ts";

const said = (pattern: RegExp, what: string) => z.string().regex(pattern, what);

/** What names a resource that must be there. One that is of another kind, or no ARN at all, is answered like one that is not there. */
export const arn = (_kind: Kind) =>
  z.string().min(1, "Member must have length greater than or equal to 1").max(128, "Member must have length less than or equal to 128");
/** What a channel refers to; empty: nothing. */
export const arnOrNone = (kind: Kind) =>
  said(new RegExp(`^$|^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${kind}/[a-zA-Z0-9-]+$`), `Member must be empty or the ARN of a ${kind}`).max(
    128,
    "Member must have length less than or equal to 128",
  );
export const anyArn = said(/^arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+\/[a-zA-Z0-9-]+$/, "Member must be an ARN").max(128);

export const name = said(
  /^[a-zA-Z0-9-_]{0,128}$/,
  "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]* and have length less than or equal to 128",
);
const tagLetters = String.raw`[\p{L}\p{Z}\p{N}_.:/=+\-@]`;
export const tagKey = said(new RegExp(`^${tagLetters}{1,128}$`, "u"), "Member must be a tag key of 1 to 128 letters");
export const tags = z
  .record(tagKey, said(new RegExp(`^${tagLetters}{0,256}$`, "u"), "Member must be a tag value of at most 256 letters"))
  .refine((map) => Object.keys(map).length <= 50, "Member must have length less than or equal to 50");

export const paging = {
  nextToken: said(/^[a-zA-Z0-9+/=_-]{0,1024}$/, "Member must be a token").optional(),
  maxResults: z
    .int("Member must be a whole number")
    .min(1, "Member must have value greater than or equal to 1")
    .max(100, "Member must have value less than or equal to 100")
    .optional(),
};

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `Member must satisfy enum value set: [${values.join(", ")}]`);

export const latencyMode = oneOf(["NORMAL", "LOW"]);
export const channelType = oneOf(["BASIC", "STANDARD", "ADVANCED_SD", "ADVANCED_HD"]);
/** Empty for types that have none. */
export const preset = oneOf(["", "HIGHER_BANDWIDTH_DELIVERY", "CONSTRAINED_BANDWIDTH_DELIVERY"]);
export const containerFormat = oneOf(["TS", "FRAGMENTED_MP4"]);
export const resolution = oneOf(["SD", "HD", "FULL_HD"]);
export const resolutionOrLowest = oneOf(["SD", "HD", "FULL_HD", "LOWEST_RESOLUTION"]);
export const multitrack = z.object({
  enabled: z.boolean().default(false),
  policy: oneOf(["ALLOW", "REQUIRE"]).optional(),
  maximumResolution: resolution.optional(),
});
export const health = oneOf(["HEALTHY", "STARVING", "UNKNOWN"]);
export const streamId = said(/^st-[a-zA-Z0-9]{23}$/, "Member must satisfy regular expression pattern: st-[a-zA-Z0-9]+ and have length 26");
export const viewerId = z
  .string()
  .min(1, "Member must have length greater than or equal to 1")
  .max(40, "Member must have length less than or equal to 40");
export const batch = <Shape extends z.ZodType>(shape: Shape, most: number) =>
  z
    .array(shape)
    .min(1, "Member must have length greater than or equal to 1")
    .max(most, `Member must have length less than or equal to ${most}`);
export { oneOf };
