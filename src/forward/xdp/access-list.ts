/** Allowed and denied prefixes of a forward as entries of a longest-prefix table; a denied one counts even where a longer one allows. */
import { bytesOf, contains, type IpRange } from "../ip-range.ts";
import { ACCESS, ACCESS_KEY } from "./layout.ts";
import { prefixesOf } from "./prefixes.ts";

export interface AccessEntry {
  readonly key: Uint8Array;
  readonly verdict: number;
}

export function accessEntries(list: number, allow: readonly IpRange[], deny: readonly IpRange[]): AccessEntry[] {
  const entries = new Map<string, AccessEntry>();
  const add = (range: IpRange, verdict: number): void => {
    const width = range.family === 4 ? 32 : 128;
    for (const { value, bits } of prefixesOf(range.first, range.last, width)) {
      const last = value + (1n << BigInt(width - bits)) - 1n;
      const covered =
        verdict === ACCESS.allow && deny.some((other) => contains(other, range.family, value) && contains(other, range.family, last));
      if (covered) continue;
      const key = new Uint8Array(ACCESS_KEY.bytes);
      const view = new DataView(key.buffer);
      view.setUint32(0, ACCESS_KEY.bitsBeforeAddress + bits + 128 - width, true);
      view.setUint32(ACCESS_KEY.list, list, true);
      key.set(bytesOf(range.family, value), ACCESS_KEY.address);
      entries.set(`${value}/${bits}`, { key, verdict });
    }
  };
  for (const range of allow) add(range, ACCESS.allow);
  for (const range of deny) add(range, ACCESS.deny);
  return [...entries.values()];
}
