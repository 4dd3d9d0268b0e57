/** What the table dropped, by listen place and reason. */
import { formatAddress } from "../../host/ip-address.ts";
import type { NfTables } from "../../host/nf-tables/nf-tables.ts";
import { type DropReason, dropReasons, TABLE } from "./layout.ts";
import { readEnd } from "./place.ts";

export interface Drop {
  readonly host: string;
  readonly port: number;
  readonly reason: DropReason;
  readonly packets: number;
}

/** @throws HostError */
export function readDrops(kernel: NfTables): { readonly places: readonly Drop[] } {
  const places: Drop[] = [];
  for (const reason of dropReasons) {
    for (const family of [4, 6]) {
      for (const { key, packets } of kernel.elements(TABLE, `${reason}${family}`) ?? []) {
        const { address, port } = readEnd(key);
        places.push({ host: formatAddress(address), port, reason, packets });
      }
    }
  }
  return { places };
}
