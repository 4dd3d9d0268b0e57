/** The cases of RFC 8867 by name, for `npm run sim`. */
import { assert } from "../../src/base/assert.ts";
import type { Outcome, Scenario } from "../scenario.ts";
import { type Case, type CaseRun, runCase } from "./case.ts";
import { rfc8867 } from "./rfc8867.ts";
import { type Row, table } from "./verdict.ts";

export const gccScenarios: readonly Scenario[] = rfc8867.map((what) => ({
  name: what.name,
  about: `${what.source}: ${what.about}`,
  run: (seed): Outcome => {
    const run = runCase(what, seed);
    const rows = rowsOf(what, run);
    const text = `${table(rows)}\n`;
    assert(
      rows.every(({ holds }) => holds),
      `what it promises is not kept\n${text}`,
    );
    return { text, counted: run.flows.map(({ record }) => [record.targets, record.delays]) };
  },
}));

/** A row for each expectation of a case that was run. */
export function rowsOf(what: Case, run: CaseRun): Row[] {
  return Object.entries(what.expects(run)).map(([name, verdict]) => ({ id: what.name, what: name, source: what.source, ...verdict }));
}
