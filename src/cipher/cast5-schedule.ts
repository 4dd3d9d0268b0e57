/**
 * How the key schedule of CAST-128 mixes, as rows of one table.
 *
 *   z0 x0 xD xF xC xE 7 x8     z0z1z2z3 = x0x1x2x3 ⊕ S5[xD] ⊕ S6[xF] ⊕ S7[xC] ⊕ S8[xE] ⊕ S7[x8]
 *   K  -  z8 z9 z7 z6 5 z2     the next key = S5[z8] ⊕ S6[z9] ⊕ S7[z7] ⊕ S8[z6] ⊕ S5[z2]
 *
 * Source: RFC 2144 section 2.4. The whole table is gone through twice, for K1…K16 and K17…K32, and begins with the key in x.
 */

/** Bytes are numbered through: x0…xF are 0…15, z0…zF are 16…31. */
export interface ScheduleRow {
  /** First of the four bytes that are set; −1 for the next key. */
  readonly target: number;
  /** First of the four bytes to begin with; −1 for none. */
  readonly base: number;
  /** Bytes looked up: four in S5…S8 in turn, and a fifth. */
  readonly lookups: readonly number[];
  /** 5…8, the box of the fifth lookup. */
  readonly box: number;
}

const Z = ["z0 x0 xD xF xC xE 7 x8", "z4 x8 z0 z2 z1 z3 8 xA", "z8 xC z7 z6 z5 z4 5 x9", "zC x4 zA z9 zB z8 6 xB"];
const X = ["x0 z8 z5 z7 z4 z6 7 z0", "x4 z0 x0 x2 x1 x3 8 z2", "x8 z4 x7 x6 x5 x4 5 z1", "xC zC xA x9 xB x8 6 z3"];

export const CAST5_SCHEDULE: readonly ScheduleRow[] = [
  ...Z,
  ...["K - z8 z9 z7 z6 5 z2", "K - zA zB z5 z4 6 z6", "K - zC zD z3 z2 7 z9", "K - zE zF z1 z0 8 zC"],
  ...X,
  ...["K - x3 x2 xC xD 5 x8", "K - x1 x0 xE xF 6 xD", "K - x7 x6 x8 x9 7 x3", "K - x5 x4 xA xB 8 x7"],
  ...Z,
  ...["K - z3 z2 zC zD 5 z9", "K - z1 z0 zE zF 6 zC", "K - z7 z6 z8 z9 7 z2", "K - z5 z4 zA zB 8 z6"],
  ...X,
  ...["K - x8 x9 x7 x6 5 x3", "K - xA xB x5 x4 6 x7", "K - xC xD x3 x2 7 x8", "K - xE xF x1 x0 8 xD"],
].map((text) => {
  const [target, base, a, b, c, d, box, e] = text.split(" ") as string[];
  return { target: byteOf(target!), base: byteOf(base!), lookups: [a!, b!, c!, d!, e!].map(byteOf), box: Number(box) };
});

function byteOf(name: string): number {
  if (name === "K" || name === "-") return -1;
  return (name[0] === "z" ? 16 : 0) + Number.parseInt(name.slice(1), 16);
}
