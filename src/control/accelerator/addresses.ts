/** An accelerator's static addresses: two of IPv4, and with DUAL_STACK two of IPv6; its own for as long as it exists. */
import { ipFamily } from "../../host/ip-address.ts";
import type { Database } from "../store/database.ts";
import { canonical, contains, parseCidr } from "./cidr.ts";
import type { AcceleratorContext } from "./context.ts";
import { invalidArgument, limitExceeded } from "./exceptions.ts";

/** Most of a family. */
const ADDRESSES_MAX = 2;

/** Gives `accelerator` the addresses of one family it lacks: `wanted` ones first, then from the pool. @throws ServiceError when there are none left */
export async function assignAddresses(
  trx: Database,
  context: AcceleratorContext,
  accelerator: string,
  family: 4 | 6,
  wanted: readonly string[] = [],
): Promise<void> {
  const rows = await trx.selectFrom("accelerator_addresses").select("address").execute();
  const taken = new Set(rows.map(({ address }) => address));
  const chosen = wanted.map(canonical);
  for (const address of chosen) await mayHave(trx, context, address, taken);
  if (new Set(chosen).size < chosen.length) throw invalidArgument(`${wanted.join(", ")} is an address twice`);
  const rest = context.pool.free(family, ADDRESSES_MAX - chosen.length, new Set([...taken, ...chosen]));
  const all = [...chosen, ...rest];
  if (all.length === 0) throw limitExceeded(`no IPv${family} address is left; the operator gives more with longhaul control --addresses`);
  const first = family === 4 ? 0 : ADDRESSES_MAX;
  await trx
    .insertInto("accelerator_addresses")
    .values(all.map((address, i) => ({ address, accelerator_id: accelerator, position: first + i })))
    .execute();
}

export async function dropAddresses(trx: Database, accelerator: string, family: 4 | 6): Promise<void> {
  const [least, most] = family === 4 ? [0, ADDRESSES_MAX] : [ADDRESSES_MAX, 2 * ADDRESSES_MAX];
  await trx
    .deleteFrom("accelerator_addresses")
    .where("accelerator_id", "=", accelerator)
    .where("position", ">=", least)
    .where("position", "<", most)
    .execute();
}

/** An address asked for by name: of IPv4, of a provisioned range or of the pool, and nobody's yet. */
async function mayHave(trx: Database, { pool }: AcceleratorContext, address: string, taken: ReadonlySet<string>): Promise<void> {
  if (ipFamily(address) !== 4) throw invalidArgument(`'${address}' is not an IPv4 address`);
  const cidrs = await trx.selectFrom("byoip_cidrs").select("id").execute();
  const own = cidrs.some(({ id }) => contains(parseCidr(id)!, address));
  if (!own && !pool.has(address))
    throw invalidArgument(`${address} is neither of a provisioned address range nor of this installation's pool`);
  if (taken.has(address)) throw invalidArgument(`${address} is in use by an accelerator`);
}
