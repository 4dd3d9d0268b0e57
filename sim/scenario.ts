/** What can be simulated by name, and how a failure tells how to see it again. */
import { createHash } from "node:crypto";

export interface Scenario {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** Runs it; throws when what it promises is not kept. */
  readonly run: (seed: number) => Outcome;
}

export interface Outcome {
  /** Text for people; the same for the same seed. */
  readonly text: string;
  /** Everything counted, for comparing two runs to the last bit. */
  readonly counted: unknown;
}

/** A short name for everything a run counted. */
export function fingerprint(counted: unknown): string {
  return createHash("sha256").update(JSON.stringify(counted)).digest("hex").slice(0, 16);
}

/** Runs a scenario; a failure says which seed it was and the command that replays it. */
export function play(scenario: Scenario, seed: number): Outcome {
  try {
    return scenario.run(seed);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const replay = `npm run sim -- --scenario ${scenario.name} --seed ${seed}`;
    throw new Error(`${scenario.name} failed with seed ${seed}: ${reason}\n  replay: ${replay}`, { cause: error });
  }
}
