/** What recording configurations and playback restriction policies have in common: a name, settings, tags, and channels that name them. */
import { conflict, quotaExceeded } from "../aws/service-error.ts";
import { randomId } from "../random-id.ts";
import { changed } from "../store/database.ts";
import type { ConfigurationRow } from "../store/schema.ts";
import { setTags, type Tags, tagsOf } from "../tags.ts";
import { arnOf } from "./arn.ts";
import type { IvsContext } from "./context.ts";
import { afterwards, Resources } from "./resources.ts";

export type ConfigurationKind = "recording-configuration" | "playback-restriction-policy";

const tables = {
  "recording-configuration": "recording_configurations",
  "playback-restriction-policy": "playback_restriction_policies",
} as const;
const columns = {
  "recording-configuration": "recording_configuration",
  "playback-restriction-policy": "playback_restriction_policy",
} as const;

interface Given {
  readonly name?: string | undefined;
  readonly tags?: Tags | undefined;
}

export class Configurations<Settings extends object> {
  readonly #kind: ConfigurationKind;
  readonly #rows;
  readonly #quota: "recordingConfigurations" | "playbackRestrictionPolicies";

  constructor(kind: ConfigurationKind) {
    this.#kind = kind;
    this.#rows = new Resources(kind, tables[kind], "Resource");
    this.#quota = kind === "recording-configuration" ? "recordingConfigurations" : "playbackRestrictionPolicies";
  }

  create(context: IvsContext, { name = "", tags = {} }: Given, settings: Settings) {
    const kind = this.#kind;
    return context.database
      .transaction()
      .execute(async (trx) => {
        const { n } = await trx
          .selectFrom(tables[kind])
          .select((eb) => eb.fn.countAll<number>().as("n"))
          .executeTakeFirstOrThrow();
        const most = context.quotas[this.#quota];
        if (Number(n) >= most) throw quotaExceeded(`there are ${most} of these, as many as are allowed`);
        const row: ConfigurationRow = { id: randomId(12), name, settings: JSON.stringify(settings), created_at: context.now() };
        await trx.insertInto(tables[kind]).values(row).execute();
        await setTags(trx, arnOf(context.place, kind, row.id), tags);
        await changed(trx);
        return this.#view(context, row, tags);
      })
      .then(afterwards(context));
  }

  async get(context: IvsContext, arn: string) {
    return this.#view(context, await this.#rows.byArn(context.database, context, arn), await tagsOf(context.database, arn));
  }

  async list(context: IvsContext, nextToken: string | undefined, maxResults: number) {
    const listed = await this.#rows.page(context, { nextToken, maxResults });
    return { rows: listed.entries.map(({ row, tags }) => this.#view(context, row, tags)), nextToken: listed.nextToken };
  }

  update(context: IvsContext, arn: string, name: string | undefined, given: Partial<Settings>) {
    return context.database
      .transaction()
      .execute(async (trx) => {
        const before = await this.#rows.byArn(trx, context, arn);
        const settings = JSON.stringify({ ...(JSON.parse(before.settings) as Settings), ...given });
        const row = { ...before, settings, name: name ?? before.name };
        await trx.updateTable(tables[this.#kind]).set(row).where("id", "=", row.id).execute();
        await changed(trx);
        return this.#view(context, row, await tagsOf(trx, arn));
      })
      .then(afterwards(context));
  }

  delete(context: IvsContext, arn: string): Promise<undefined> {
    return this.#rows.delete(context, arn, async (trx) => {
      const user = await trx.selectFrom("channels").select("id").where(columns[this.#kind], "=", arn).limit(1).executeTakeFirst();
      if (user !== undefined) throw conflict("a channel uses it; take it away from the channel first");
    });
  }

  #view({ place }: IvsContext, { id, name, settings }: ConfigurationRow, tags: Tags) {
    return { arn: arnOf(place, this.#kind, id), name, ...(JSON.parse(settings) as Settings), tags };
  }
}
