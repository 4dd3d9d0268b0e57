/**
 * From whatever the table holds to a desired state, in one transaction: the way when nothing is known of it. Idle times and the sets of what was
 * dropped stay as they are, for flows and counts hang on them.
 */
import type { HostError } from "../../base/errors.ts";
import { type NftName, nftList, nftScript } from "../../host/nft.ts";
import type { Run } from "../../host/program.ts";
import type { DesiredState } from "../desired-state.ts";
import { dropReasons, maps, TABLE, tableScript } from "./layout.ts";
import { Ruleset } from "./ruleset.ts";

/** @throws HostError, and nothing has changed */
export async function leadOver(after: DesiredState, run: Run | undefined): Promise<Ruleset> {
  const forwards = [...after.forwards.values()];
  const ruleset = new Ruleset(forwards, after.revision);
  const content = ruleset.whole() + ruleset.elements(forwards) + ruleset.hooks() + ruleset.mark();
  const emptied = await emptying(run);
  try {
    await nftScript(
      emptied === undefined ? tableScript() + content : emptied + tableScript() + content + (await leftovers(ruleset, run)),
      run,
    );
  } catch (error) {
    // Another version's table may be of another shape. Then all of it is made anew.
    if (emptied === undefined || (error as HostError).code !== "EINVAL") throw error;
    await nftScript(`add table ${TABLE}\ndelete table ${TABLE}\n${tableScript()}${content}`, run);
  }
  return ruleset;
}

/** Undefined when there is no table. */
async function emptying(run: Run | undefined): Promise<string | undefined> {
  const found = await names(run);
  if (found === undefined) return undefined;
  const known = new Set(maps.map(({ name }) => name));
  return [
    ...found.chains.map((name) => `flush chain ${TABLE} ${name}\n`),
    ...found.sets.filter((name) => known.has(name)).map((name) => `flush map ${TABLE} ${name}\n`),
  ].join("");
}

/** What an earlier state needed and this one does not. */
async function leftovers(ruleset: Ruleset, run: Run | undefined): Promise<string> {
  const found = await names(run);
  const objects = new Set(ruleset.objects);
  const chains = new Set<string>([...ruleset.chains, ...dropReasons, ...HOOKS]);
  const lines: string[] = [];
  for (const name of found?.chains ?? [])
    if (!chains.has(name) && !objects.has(`chain ${name}`) && !name.startsWith("idle_")) lines.push(`delete chain ${TABLE} ${name}\n`);
  for (const name of found?.sets ?? [])
    if (name.startsWith("class_") && !objects.has(`set ${name}`)) lines.push(`delete set ${TABLE} ${name}\n`);
  return lines.join("");
}

/** Terse: without elements. */
async function names(run: Run | undefined): Promise<{ chains: string[]; sets: string[] } | undefined> {
  const [chains, sets, all] = await Promise.all([nftList(["chains"], run), nftList(["sets"], run), nftList(["maps"], run)]);
  const own = (objects: readonly (NftName | undefined)[]): string[] =>
    objects.flatMap((object) => (object !== undefined && isOurs(object) ? [object.name] : []));
  const found = {
    chains: own((chains ?? []).map(({ chain }) => chain)),
    sets: [...own((sets ?? []).map(({ set }) => set)), ...own((all ?? []).map(({ map }) => map))],
  };
  return found.chains.length + found.sets.length === 0 ? undefined : found;
}

function isOurs(object: NftName): boolean {
  return `${object.family} ${object.table}` === TABLE;
}

const HOOKS = ["limits", "places", "adopt", "sources"];
