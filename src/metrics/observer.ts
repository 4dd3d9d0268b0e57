/**
 * Asks the workers on behalf of all who watch: at most once a second for each question, so that scrapes cannot burden the loops.
 *
 *   request ─► answer younger than a second? ─► that one
 *                          └─ no ─► every worker is asked; requests meanwhile wait for the same answer
 */
import type { Millis } from "../base/units.ts";
import type { Question } from "../tunnel/observation.ts";
import { type MergedObservation, merge, parseSessionKey, type WorkerObservation } from "./merge.ts";

/** Asks each worker; the question of worker i is `questions(i)`. An ended worker answers undefined. */
export type AskWorkers = (questions: (worker: number) => Question) => Promise<readonly (WorkerObservation | undefined)[]>;

export interface ObserverOptions {
  readonly ask: AskWorkers;
  /** Monotonic. */
  readonly now: () => Millis;
  /** Most sessions told of, all workers together; most streams of the session asked for. */
  readonly sessionsMax: number;
  readonly streamsMax: number;
  readonly usersMax?: number;
}

const AGE_MAX: Millis = 1000;
/** Different questions remembered. */
const QUESTIONS_MAX = 8;

export class Observer {
  readonly #options: ObserverOptions;
  readonly #answers = new Map<string, { readonly at: Millis; readonly answer: Promise<MergedObservation | undefined> }>();
  readonly counters = { asked: 0, answeredFromMemory: 0, crowded: 0 };

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** `session`: the key of the session whose streams are wanted. Undefined while no worker answers. */
  observe(session = ""): Promise<MergedObservation | undefined> {
    const now = this.#options.now();
    for (const [question, { at }] of this.#answers) if (now - at >= AGE_MAX) this.#answers.delete(question);
    let known = this.#answers.get(session);
    if (known === undefined && this.#answers.size >= QUESTIONS_MAX) {
      this.counters.crowded++;
      known = this.#answers.values().next().value;
    }
    if (known !== undefined) {
      this.counters.answeredFromMemory++;
      return known.answer;
    }
    this.counters.asked++;
    const answer = this.#ask(now, session);
    this.#answers.set(session, { at: now, answer });
    return answer;
  }

  async #ask(now: Millis, session: string): Promise<MergedObservation | undefined> {
    const { ask, sessionsMax, streamsMax, usersMax } = this.#options;
    const asked = parseSessionKey(session);
    const answers = await ask((worker) => ({
      sessionsMax,
      streamsOf: asked?.worker === worker ? asked.id : undefined,
      streamsMax,
      usersMax,
    }));
    const given = answers.filter((answer) => answer !== undefined);
    if (given.length === 0 || given.length < answers.length) return undefined;
    const merged = merge(now, given);
    if (merged.sessions.length <= sessionsMax) return merged;
    return { ...merged, sessions: merged.sessions.toSorted((a, b) => a.heardSeconds - b.heardSeconds).slice(0, sessionsMax) };
  }
}
