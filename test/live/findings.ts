/** What a script that plays with an installation finds, said line by line; its children and folder go when it ends, however it ends. */
import type { Children } from "../interop/children.ts";
import type { LiveInstallation } from "./installation.ts";

export class Findings {
  passed = 0;
  failed = 0;
  skipped = 0;

  readonly check = (what: string, ok: boolean, got: unknown): void => {
    if (ok) this.passed++;
    else this.failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${JSON.stringify(got)}`);
  };

  readonly skip = (why: string): void => {
    this.skipped++;
    console.log(`skipped: ${why}`);
  };

  /** Starts the installation, does the work, ends; the last line, and the status of the process. */
  async of(live: LiveInstallation, children: Children, work: () => Promise<void>): Promise<void> {
    try {
      await live.start();
      await work();
    } catch (error) {
      this.check("the suite", false, (error as Error).stack);
    } finally {
      if (this.failed > 0) console.log((live.child?.output() ?? "").slice(-3000));
      await children.endAll();
      live.remove();
    }
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    process.exitCode = this.failed > 0 ? 1 : 0;
  }
}
