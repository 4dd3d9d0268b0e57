/**
 * The cells of the interop matrix with Debian's kcptun: which end is theirs, and how both are set.
 *
 *   basic   {aes, none} × FEC × smux × snappy, every other cipher once, in both roles: 54
 *   full    all ciphers × FEC × smux × snappy × loss 0, 2 and 10 %, in both roles: 624
 *   pairs   of these so few that every two values of any two settings meet in one: about 40
 */
import { cipherNames } from "../../src/cipher/names.ts";

export interface Settings {
  /** Which end is Debian's. */
  readonly theirs: "client" | "server";
  readonly crypt: string;
  readonly fec: boolean;
  readonly smux: 1 | 2;
  readonly snappy: boolean;
  /** Of datagrams, each way, %. */
  readonly loss: number;
}

/** kcptun of 2021 knows all but these. */
const ciphers = cipherNames.filter((name) => name !== "null" && name !== "aes-128-gcm");
const roles = ["client", "server"] as const;
const both = [true, false] as const;
const versions = [1, 2] as const;

export function nameOf({ theirs, crypt, fec, smux, snappy, loss }: Settings): string {
  const link = loss === 0 ? "" : `, ${loss} % loss`;
  return `kcptun ${theirs}, crypt ${crypt}, FEC ${fec ? "10/3" : "off"}, smux ${smux}, snappy ${snappy ? "on" : "off"}${link}`;
}

export function flagsOf({ crypt, fec, smux, snappy }: Settings): string[] {
  return [
    ...["--crypt", crypt, "--smuxver", String(smux), "--mode", "fast3", "--sndwnd", "2048", "--rcvwnd", "2048"],
    ...(fec ? ["--ds", "10", "--ps", "3"] : ["--ds", "0", "--ps", "0"]),
    ...(snappy ? [] : ["--nocomp"]),
  ];
}

export function basicCells(loss: number): Settings[] {
  return roles.flatMap((theirs) => [
    ...product(["aes", "none"], [loss]).filter((cell) => cell.theirs === theirs),
    // The layers above do not depend on the cipher.
    ...ciphers
      .filter((crypt) => crypt !== "aes" && crypt !== "none")
      .map((crypt): Settings => ({ theirs, crypt, fec: true, smux: 2, snappy: false, loss })),
  ]);
}

export function fullCells(): Settings[] {
  return product(ciphers, [0, 2, 10]);
}

/** Greedy: takes the cell in which most pairs of values meet that have not met yet, until all have. */
export function pairCells(): Settings[] {
  const all = fullCells();
  const open = new Set(all.flatMap(pairsOf));
  const chosen: Settings[] = [];
  while (open.size > 0) {
    let best = all[0]!;
    let most = 0;
    for (const cell of all) {
      const news = pairsOf(cell).filter((pair) => open.has(pair)).length;
      if (news <= most) continue;
      best = cell;
      most = news;
    }
    chosen.push(best);
    for (const pair of pairsOf(best)) open.delete(pair);
  }
  return chosen;
}

function pairsOf(cell: Settings): string[] {
  const values = Object.entries(cell).map(([key, value]) => `${key}=${value}`);
  return values.flatMap((one, i) => values.slice(i + 1).map((other) => `${one} ${other}`));
}

function product(crypts: readonly string[], losses: readonly number[]): Settings[] {
  return roles.flatMap((theirs) =>
    crypts.flatMap((crypt) =>
      both.flatMap((fec) =>
        versions.flatMap((smux) => both.flatMap((snappy) => losses.map((loss): Settings => ({ theirs, crypt, fec, smux, snappy, loss })))),
      ),
    ),
  );
}
