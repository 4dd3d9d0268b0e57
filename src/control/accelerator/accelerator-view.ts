/** An accelerator as operations show it. */

import { ipFamily } from "../../host/ip-address.ts";
import type { Database } from "../store/database.ts";
import type { AcceleratorRow } from "../store/schema.ts";
import { arnOf } from "./arn.ts";
import { deployedAt, seconds } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";

export function dnsName({ domain }: Pick<AcceleratorContext, "domain">, { dns }: Pick<AcceleratorRow, "dns">): string {
  return `a${dns}.${domain}`;
}

/** Of several at once: their addresses are read together. `database` may be a transaction. */
export async function acceleratorViews(
  database: Database,
  context: AcceleratorContext,
  rows: readonly AcceleratorRow[],
): Promise<object[]> {
  const addresses = await addressesOf(
    database,
    rows.map(({ id }) => id),
  );
  const deployed = await deployedAt(context);
  return rows.map((row) => {
    const own = addresses.get(row.id) ?? [];
    return {
      AcceleratorArn: arnOf(context.account, { accelerator: row.id }),
      Name: row.name,
      IpAddressType: row.ip_address_type,
      Enabled: row.enabled === 1,
      IpSets: [ipSet("IPv4", own), ipSet("IPv6", own)].filter(({ IpAddresses }) => IpAddresses.length > 0),
      DnsName: dnsName(context, row),
      ...(row.ip_address_type === "DUAL_STACK" ? { DualStackDnsName: `a${row.dns}.dualstack.${context.domain}` } : {}),
      Status: deployed(row.revision) ? "DEPLOYED" : "IN_PROGRESS",
      CreatedTime: seconds(row.created_at),
      LastModifiedTime: seconds(row.modified_at),
      ...(row.kind === "standard" ? { Events: [] } : {}),
    };
  });
}

function ipSet(IpAddressFamily: "IPv4" | "IPv6", addresses: readonly string[]) {
  const family = IpAddressFamily === "IPv4" ? 4 : 6;
  return { IpFamily: IpAddressFamily, IpAddresses: addresses.filter((address) => ipFamily(address) === family), IpAddressFamily };
}

/** Addresses of each accelerator, in order. */
export async function addressesOf(database: Database, ids: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return found;
  const rows = await database
    .selectFrom("accelerator_addresses")
    .select(["accelerator_id", "address"])
    .where("accelerator_id", "in", ids)
    .orderBy("position")
    .execute();
  for (const { accelerator_id, address } of rows) found.get(accelerator_id)!.push(address);
  return found;
}
