/**
 * The operator's own address ranges: ProvisionByoipCidr, AdvertiseByoipCidr, WithdrawByoipCidr, DeprovisionByoipCidr, ListByoipCidrs. A provisioned range is a pool
 * that accelerators may name addresses of; an advertised one is announced by the edges, which is when its state stops being PENDING.
 *
 * Deviations: who asks has an access key of this installation, so that nothing is proved by a signed message (it must be there, and is not looked at); networks of
 * /8 to /32, not of /24 alone; provisioning takes no time; what is withdrawn need not wait for ten seconds.
 */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import type { Database } from "../store/database.ts";
import type { ByoipCidrRow } from "../store/schema.ts";
import { type Change, change, deployedAt, seconds } from "./change.ts";
import { type Cidr, contains, formatCidr, overlap, parseCidr } from "./cidr.ts";
import type { AcceleratorContext } from "./context.ts";
import { byoipCidrNotFound, incorrectCidrState, invalidArgument, limitExceeded } from "./exceptions.ts";
import { pageOf } from "./paging.ts";
import * as shapes from "./shapes.ts";

const PREFIX_LEAST = 8;
const EVENTS_MAX = 20;
const cidrInput = z.strictObject({ Cidr: shapes.cidr });
const resource = ({ Cidr }: { readonly Cidr: string }): string => Cidr;

type State = "READY" | "ADVERTISING";

interface CidrEvent {
  readonly Message: string;
  readonly Timestamp: number;
}

async function one(context: AcceleratorContext, cidr: string) {
  return { ByoipCidr: (await views(context, [await byoipRow(context.database, cidr)]))[0] };
}

export const byoipOperations = {
  ProvisionByoipCidr: operation({
    input: z.strictObject({
      Cidr: shapes.cidr,
      CidrAuthorizationContext: z.strictObject({ Message: shapes.generic, Signature: shapes.generic }),
    }),
    role: "admin",
    resource,
    async run(context: AcceleratorContext, { Cidr }) {
      await change(context, (now) => provision(now, context, checkedCidr(Cidr)));
      return one(context, Cidr);
    },
  }),
  AdvertiseByoipCidr: operation({
    input: cidrInput,
    role: "operator",
    resource,
    run: (context: AcceleratorContext, { Cidr }) => moved(context, Cidr, "READY", "ADVERTISING"),
  }),
  WithdrawByoipCidr: operation({
    input: cidrInput,
    role: "operator",
    resource,
    run: (context: AcceleratorContext, { Cidr }) => moved(context, Cidr, "ADVERTISING", "READY"),
  }),
  DeprovisionByoipCidr: operation({
    input: cidrInput,
    role: "admin",
    resource,
    run: (context: AcceleratorContext, { Cidr }) =>
      change(context, async ({ trx, at }) => {
        const row = await byoipRow(trx, Cidr);
        if (row.state !== "READY") throw incorrectCidrState(`${row.id} is advertised; withdraw it first`);
        const network = parseCidr(row.id)!;
        const addresses = await trx.selectFrom("accelerator_addresses").select("address").execute();
        const used = addresses.find(({ address }) => contains(network, address));
        if (used !== undefined) throw incorrectCidrState(`an accelerator has the address ${used.address} of ${row.id}`);
        await trx.deleteFrom("byoip_cidrs").where("id", "=", row.id).execute();
        return { ByoipCidr: { Cidr: row.id, State: "DEPROVISIONED", Events: shown(withEvent(row, "deprovisioned", at)) } };
      }),
  }),
  ListByoipCidrs: operation({
    input: z.strictObject(shapes.paging),
    role: "read-only",
    async run(context: AcceleratorContext, paging) {
      const listed = await pageOf(context.database.selectFrom("byoip_cidrs").selectAll(), paging);
      const { rows, ...rest } = listed;
      return { ByoipCidrs: await views(context, rows), ...rest };
    },
  }),
};

async function provision({ trx, revision, at }: Change, { quotas, pool }: AcceleratorContext, cidr: Cidr): Promise<void> {
  const rows = await trx.selectFrom("byoip_cidrs").selectAll().execute();
  const id = formatCidr(cidr);
  if (rows.some((row) => row.id === id)) throw incorrectCidrState(`${id} is provisioned already`);
  const other = rows.find((row) => overlap(parseCidr(row.id)!, cidr));
  if (other !== undefined) throw invalidArgument(`${id} overlaps ${other.id}, which is provisioned`);
  if (pool.ranges.some((range) => overlap(range, cidr))) throw invalidArgument(`${id} overlaps the addresses of this installation's pool`);
  if (rows.length >= quotas.byoipCidrs) throw limitExceeded(`${quotas.byoipCidrs} address ranges are provisioned, as many as are allowed`);
  const row: ByoipCidrRow = { id, state: "READY", events: "[]", revision, created_at: at };
  await trx
    .insertInto("byoip_cidrs")
    .values({ ...row, events: withEvent(row, "provisioned", at) })
    .execute();
}

/** From one state to the other; asked for twice in turn, the second is an error, as the range is not in the first state any more. */
async function moved(context: AcceleratorContext, text: string, from: State, to: State) {
  await change(context, async ({ trx, revision, at }) => {
    const row = await byoipRow(trx, text);
    if (row.state !== from) throw incorrectCidrState(`${row.id} is ${row.state}; it must be ${from} for this`);
    const events = withEvent(row, to === "ADVERTISING" ? "advertised" : "withdrawn", at);
    await trx.updateTable("byoip_cidrs").set({ state: to, events, revision }).where("id", "=", row.id).execute();
  });
  return one(context, text);
}

async function byoipRow(database: Database, text: string): Promise<ByoipCidrRow> {
  const id = formatCidr(checkedCidr(text));
  const row = await database.selectFrom("byoip_cidrs").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw byoipCidrNotFound(`${id} is not provisioned`);
  return row;
}

function checkedCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr?.family !== 4 || cidr.prefix < PREFIX_LEAST || !text.includes("/"))
    throw invalidArgument(`'${text}' is no address range; an IPv4 network of /${PREFIX_LEAST} to /32 such as 198.51.100.0/24 is`);
  return cidr;
}

const PENDING: Readonly<Record<string, string>> = { ADVERTISING: "PENDING_ADVERTISING", READY: "PENDING_WITHDRAWING" };

async function views(context: AcceleratorContext, rows: readonly ByoipCidrRow[]): Promise<object[]> {
  const deployed = await deployedAt(context);
  return rows.map(({ id, state, events, revision }) => {
    // What was just provisioned is on no edge, so that nothing has to be withdrawn from any.
    const settled = deployed(revision) || (JSON.parse(events) as CidrEvent[]).length === 1;
    return { Cidr: id, State: settled ? state : PENDING[state], Events: shown(events) };
  });
}

function withEvent({ events }: Pick<ByoipCidrRow, "events">, Message: string, Timestamp: number): string {
  return JSON.stringify([...(JSON.parse(events) as CidrEvent[]), { Message, Timestamp }].slice(-EVENTS_MAX));
}

const shown = (events: string): CidrEvent[] =>
  (JSON.parse(events) as CidrEvent[]).map(({ Message, Timestamp }) => ({ Message, Timestamp: seconds(Timestamp) }));
