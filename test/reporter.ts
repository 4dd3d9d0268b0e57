/**
 * Reporter of `npm test`: prints failures as they come and ends with `N passed, N failed, N skipped` alone on a line.
 * A run without a single test is a failure.
 */
import type { TestEvent } from "node:test/reporters";

export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of source) {
    if (event.type === "test:pass") {
      if (event.data.details?.type === "suite") continue;
      if (event.data.skip !== undefined) {
        skipped++;
        yield `skipped: ${event.data.name}${typeof event.data.skip === "string" ? ` (${event.data.skip})` : ""}\n`;
      } else passed++;
    } else if (event.type === "test:fail") {
      if (event.data.details?.type === "suite" && event.data.details.error.message.includes("subtest")) continue;
      failed++;
      const error = event.data.details?.error;
      const cause = error?.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error?.cause ?? error?.message);
      yield `\nFAILED: ${event.data.name}\n  ${event.data.file ?? ""}:${event.data.line ?? ""}\n  ${cause.replaceAll("\n", "\n  ")}\n`;
    } else if (event.type === "test:diagnostic" && event.data.file !== undefined) {
      yield `${event.data.message}\n`;
    } else if (event.type === "test:stderr" || event.type === "test:stdout") {
      yield event.data.message;
    }
  }
  if (passed + failed === 0) {
    process.exitCode = 1;
    yield "no test was run\n";
  }
  yield `${process.uptime().toFixed(1)} s\n${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}
