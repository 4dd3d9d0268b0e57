/** An address as the program's tables have it: 16 bytes in network order, IPv4 in mapped form, cleared before. */
import type { Family } from "../ip-range.ts";

export function putAddress(view: DataView, at: number, family: Family, address: bigint): void {
  if (family === 4) {
    view.setUint32(at, 0);
    view.setUint32(at + 4, 0);
    view.setUint32(at + 8, 0xffff);
    view.setUint32(at + 12, Number(address));
    return;
  }
  view.setBigUint64(at, address >> 64n);
  view.setBigUint64(at + 8, address & 0xffff_ffff_ffff_ffffn);
}
