/**
 * What came of each cell of a matrix too long for one run: a line of JSON a cell, appended when it has ended, so that a run that was cut short
 * is gone on with, and the parts of several runs add up.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";

export interface Entry {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly text: string;
}

export class Ledger {
  readonly #path: string;
  /** The latest of each cell. */
  readonly #entries = new Map<string, Entry>();

  /** Goes on with what is in the file, if there is one. */
  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    for (const line of readFileSync(path, "utf8").split("\n")) if (line !== "") this.#enter(JSON.parse(line) as Entry);
  }

  add(entry: Entry): void {
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
    this.#enter(entry);
  }

  passed(name: string): boolean {
    return this.#entries.get(name)?.ok === true;
  }

  /** One line about all these cells, and one for each that failed. */
  summary(names: readonly string[]): string {
    const known = names.map((name) => this.#entries.get(name)).filter((entry) => entry !== undefined);
    const failed = known.filter(({ ok }) => !ok);
    const seconds = known.reduce((sum, entry) => sum + entry.seconds, 0);
    return [
      ...failed.map(({ name }) => `FAILED ${name}`),
      `all parts so far: ${known.length - failed.length} passed, ${failed.length} failed, ${names.length - known.length} of ${names.length} not run yet; ${seconds.toFixed(0)} s of cells`,
    ].join("\n");
  }

  #enter(entry: Entry): void {
    this.#entries.set(entry.name, entry);
  }
}
