/** Named checks of a script, one after another, each with fresh child processes; what is wrong is said in a sentence. */
import { execFileSync } from "node:child_process";
import type { Children } from "./children.ts";

/** Answers what is wrong, undefined when nothing is. */
export type Check = () => Promise<string | undefined>;

export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** One of a script that does one thing after another. `got`: what is shown of it. */
  readonly check = (what: string, ok: boolean, got: unknown): void => {
    if (ok) this.passed++;
    else this.failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${JSON.stringify(got)}`);
  };

  readonly skip = (what: string, why: string): void => {
    this.skipped++;
    console.log(`skipped ${what}: ${why}`);
  };

  async run(checks: Readonly<Record<string, Check>>, children: Children): Promise<void> {
    for (const [name, check] of Object.entries(checks)) {
      const wrong = await check().catch((error: Error) => error.message);
      await children.endAll();
      if (wrong === undefined) this.passed++;
      else this.failed++;
      console.log(`${wrong === undefined ? "ok    " : "FAILED"} ${name}${wrong === undefined ? "" : `: ${wrong}`}`);
    }
  }

  /** The same for checks that need Debian's kcptun. */
  async runBesideKcptun(checks: Readonly<Record<string, Check>>, children: Children): Promise<void> {
    try {
      execFileSync("kcptun-client", ["-v"], { stdio: "ignore" });
    } catch {
      this.skipped += Object.keys(checks).length;
      console.log("skipped: Debian's package kcptun is not installed");
      return;
    }
    await this.run(checks, children);
  }

  /** The last line, and the status of the process. */
  end(): void {
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    process.exitCode = this.failed === 0 ? 0 : 1;
  }
}
