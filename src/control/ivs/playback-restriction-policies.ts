/** Playback restriction policies: Create, Get, List, Update, DeletePlaybackRestrictionPolicy. Which countries and which pages may play a channel. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { Configurations } from "./configurations.ts";
import type { IvsContext } from "./context.ts";
import * as shapes from "./shapes.ts";

const settings = {
  allowedCountries: z.array(z.string().regex(/^[A-Z]{2}$/, "Member must be a country of two letters (ISO 3166-1)")).max(250),
  allowedOrigins: z.array(z.string().max(128, "Member must have length less than or equal to 128")).max(100),
  enableStrictOriginEnforcement: z.boolean("Member must be true or false"),
};

export type RestrictionSettings = z.output<z.ZodObject<typeof settings>>;

const policies = new Configurations<RestrictionSettings>("playback-restriction-policy");
const arn = shapes.arn("playback-restriction-policy");
const given = {
  allowedCountries: settings.allowedCountries.optional(),
  allowedOrigins: settings.allowedOrigins.optional(),
  enableStrictOriginEnforcement: settings.enableStrictOriginEnforcement.optional(),
  name: shapes.name.optional(),
};

export const playbackRestrictionPolicyOperations = {
  CreatePlaybackRestrictionPolicy: operation({
    input: z.object({ ...given, tags: shapes.tags.optional() }),
    role: "admin",
    resource: ({ name = "" }) => name,
    async run(context: IvsContext, { name, tags, allowedCountries = [], allowedOrigins = [], enableStrictOriginEnforcement = false }) {
      const made = { allowedCountries, allowedOrigins, enableStrictOriginEnforcement };
      return { playbackRestrictionPolicy: await policies.create(context, { name, tags }, made) };
    },
  }),
  GetPlaybackRestrictionPolicy: operation({
    input: z.object({ arn }),
    role: "read-only",
    run: async (context: IvsContext, input) => ({ playbackRestrictionPolicy: await policies.get(context, input.arn) }),
  }),
  ListPlaybackRestrictionPolicies: operation({
    input: z.object(shapes.paging),
    role: "read-only",
    async run(context: IvsContext, { nextToken, maxResults = 1 }) {
      const { rows, nextToken: next } = await policies.list(context, nextToken, maxResults);
      return { playbackRestrictionPolicies: rows, nextToken: next };
    },
  }),
  UpdatePlaybackRestrictionPolicy: operation({
    input: z.object({ ...given, arn }),
    role: "admin",
    resource: (input) => input.arn,
    async run(context: IvsContext, { arn: own, name, ...rest }) {
      const change = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<RestrictionSettings>;
      return { playbackRestrictionPolicy: await policies.update(context, own, name, change) };
    },
  }),
  DeletePlaybackRestrictionPolicy: operation({
    input: z.object({ arn }),
    role: "admin",
    status: 204,
    resource: (input) => input.arn,
    run: (context: IvsContext, input) => policies.delete(context, input.arn),
  }),
};
