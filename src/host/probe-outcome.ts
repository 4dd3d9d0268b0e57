/** What came of asking a server whether it lives. */
import type { Millis } from "../base/units.ts";

/** silent: nothing came in time · refused: told so by its machine or one on the way, or it hung up · wrong: it answers, and not as it should. */
export type ProbeFailure = "silent" | "refused" | "wrong";

export interface ProbeOutcome {
  /** Milliseconds until the answer; undefined: it failed. */
  readonly took: Millis | undefined;
  readonly failure?: ProbeFailure;
}

export const SILENT: ProbeOutcome = { took: undefined, failure: "silent" };
export const REFUSED: ProbeOutcome = { took: undefined, failure: "refused" };
export const WRONG: ProbeOutcome = { took: undefined, failure: "wrong" };
