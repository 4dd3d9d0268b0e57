/**
 * From whatever the table holds to a desired state, in one transaction: the way when nothing is known of it. Idle times and the sets of what was
 * dropped stay as they are, for flows and counts hang on them.
 */
import type { HostError } from "../../base/errors.ts";
import type { NfTables } from "../../host/nf-tables/nf-tables.ts";
import { Transaction } from "../../host/nf-tables/transaction.ts";
import type { DesiredState } from "../desired-state.ts";
import { addContents, maps, ownChains, TABLE } from "./layout.ts";
import { Ruleset } from "./ruleset.ts";

interface Names {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}

/** @throws HostError, and nothing has changed */
export function leadOver(after: DesiredState, kernel: NfTables): Ruleset {
  const found = namesOf(kernel);
  try {
    return write(after, kernel, found, false);
  } catch (error) {
    // Another version's table may be of another shape. Then all of it is made anew.
    if (found.chains.length + found.sets.length === 0 || (error as HostError).code === "EPERM") throw error;
    return write(after, kernel, { chains: [], sets: [] }, true);
  }
}

function write(after: DesiredState, kernel: NfTables, found: Names, anew: boolean): Ruleset {
  const transaction = new Transaction(TABLE);
  transaction.addTable();
  if (anew) {
    transaction.deleteTable();
    transaction.addTable();
  }
  const known = new Set(maps.map(({ name }) => name));
  for (const name of found.chains) transaction.flushChain(name);
  for (const name of found.sets) if (known.has(name)) transaction.flushSet(name);
  addContents(transaction);
  const forwards = [...after.forwards.values()];
  const ruleset = new Ruleset(forwards, after.revision);
  ruleset.writeParts(transaction);
  ruleset.writeElements(transaction, forwards);
  ruleset.writeHooks(transaction);
  ruleset.writeMark(transaction);
  removeLeftovers(transaction, found, ruleset);
  kernel.commit(transaction);
  return ruleset;
}

/** What an earlier state needed and this one does not. */
function removeLeftovers(transaction: Transaction, found: Names, ruleset: Ruleset): void {
  const chains = new Set([...ruleset.chains, ...ownChains]);
  const sets = new Set(ruleset.sets);
  for (const name of found.chains) if (!chains.has(name) && !name.startsWith("idle_")) transaction.deleteChain(name);
  for (const name of found.sets) if (/^(class|group)_/.test(name) && !sets.has(name)) transaction.deleteSet(name);
}

function namesOf(kernel: NfTables): Names {
  const chains = kernel.chains().filter(({ family, table }) => family === "inet" && table === TABLE);
  return { chains: chains.map(({ name }) => name), sets: kernel.sets(TABLE) };
}
