/**
 * The judge of congestion control: RFC 8867's cases and every published figure of GCC, each beside what came of it. In virtual time, so the same
 * seed gives the same table.
 *
 *   npm run gcc:scenarios                          everything; status 1 if an expectation does not hold
 *   npm run gcc:scenarios -- --case gcc-5.1        one case, or a row such as P14
 *   npm run gcc:scenarios -- --plots DIR           and a picture of each case
 *   npm run gcc:scenarios -- --seed N              other random numbers for the cases; N-M: each of them
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "../../test/script-args.ts";
import { runCase } from "./case.ts";
import { plot } from "./plot.ts";
import { OWN_MODE, type Published } from "./published.ts";
import { publishedLibwebrtc } from "./published-libwebrtc.ts";
import { publishedPapers } from "./published-papers.ts";
import { publishedParts } from "./published-parts.ts";
import { rfc8867 } from "./rfc8867.ts";
import { rowsOf } from "./scenarios.ts";
import { type Row, table } from "./verdict.ts";

export const published: readonly Published[] = [...publishedPapers, ...publishedLibwebrtc, ...publishedParts];

/** Rows of a published figure: as we are, and for libwebrtc's own tests as libwebrtc is. */
export function rowsOfPublished({ id, what, source, judge, own }: Published): Row[] {
  const rows: Row[] = [{ id, what, source, ...judge({}) }];
  if (own === true) rows.push({ id, what: "  in libwebrtc's own mode", source, ...judge(OWN_MODE) });
  return rows;
}

/** "3" or "1-8". */
function seedsOf(text: string): number[] | undefined {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (!(first <= last && last <= 0xffffffff && last - first <= 100)) return undefined;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function main(args: string[]): number {
  const options = { case: { type: "string" }, plots: { type: "string" }, seed: { type: "string", default: "1" } } as const;
  const { values } = parseArgs({ args, options });
  const seeds = seedsOf(values.seed);
  if (seeds === undefined) {
    console.error(`--seed is "${values.seed}"; allowed is a whole number of 0 to 4294967295, or two, N-M, at most 100 apart.`);
    return 2;
  }
  const wanted = (name: string): boolean => values.case === undefined || values.case === name;
  if (values.plots !== undefined) mkdirSync(values.plots, { recursive: true });
  const rows: Row[] = [];
  const tables: string[] = [];
  for (const seed of seeds) {
    const cases: Row[] = [];
    for (const what of rfc8867) {
      if (!wanted(what.name)) continue;
      const run = runCase(what, seed);
      cases.push(...rowsOf(what, run));
      if (values.plots !== undefined) writeFileSync(join(values.plots, `${what.name}.svg`), plot(run));
    }
    rows.push(...cases);
    if (cases.length > 0) tables.push(`RFC 8867, seed ${seed}\n\n${table(cases)}\n`);
  }
  const figures = published.filter(({ id }) => wanted(id)).flatMap(rowsOfPublished);
  rows.push(...figures);
  if (rows.length === 0) {
    const names = [...rfc8867.map(({ name }) => name), ...new Set(published.map(({ id }) => id))];
    console.error(`--case is "${values.case}"; allowed is one of ${names.join(", ")}.`);
    return 2;
  }
  for (const each of tables) console.log(each);
  if (figures.length > 0) console.log(`Published figures of GCC\n\n${table(figures)}\n`);
  const failed = rows.filter(({ holds }) => !holds).length;
  console.log(`${rows.length - failed} of ${rows.length} expectations hold`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
