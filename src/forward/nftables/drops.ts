/** What the table dropped, by listen place and reason. */
import { nftList } from "../../host/nft.ts";
import type { Run } from "../../host/program.ts";
import { type DropReason, dropReasons, TABLE } from "./layout.ts";

export interface Drop {
  readonly host: string;
  readonly port: number;
  readonly reason: DropReason;
  readonly packets: number;
}

export async function readDrops(run: Run | undefined): Promise<{ readonly places: readonly Drop[] }> {
  const places: Drop[] = [];
  for (const reason of dropReasons) {
    for (const family of [4, 6]) {
      const objects = await nftList(["set", ...TABLE.split(" "), `${reason}${family}`], run);
      for (const { set } of objects ?? []) {
        for (const each of set?.elem ?? []) {
          const { val, counter } = (each as DropElement).elem;
          places.push({ host: val.concat[0], port: val.concat[1], reason, packets: counter.packets });
        }
      }
    }
  }
  return { places };
}

interface DropElement {
  readonly elem: {
    readonly val: { readonly concat: readonly [host: string, port: number] };
    readonly counter: { readonly packets: number };
  };
}
