/**
 * `npm start` as a newcomer sees it: both players of the demo must be there and the tunnel's must play within 15 s of the start and go on
 * without a stall; Ctrl-C must end it cleanly.
 *
 *   node test/browser/up.ts [--seconds 20] [--screenshot FILE]
 */

import { Children, groupLives, root, signalGroup, waitFor } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import { watch } from "./watch.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    screenshot: { type: "string", default: "" },
  },
});
const playWithinMs = 15_000;
const children = new Children();
const started = Date.now();
const up = children.start("up", ["npm", "start", "--silent", "--prefix", root]);
let ok = false;
try {
  await waitFor(up, "http://", playWithinMs);
  const url = /http:\/\/[^\s]+/.exec(up.output())![0];
  const figures = await watch({
    url,
    seconds: Number(values.seconds),
    ...(values.screenshot === "" ? {} : { screenshot: values.screenshot }),
  });
  const firstFrameMs = figures.playingSince - started;
  console.log(JSON.stringify({ firstFrameMs, ...figures }));
  ok = figures.playing && figures.stalls === 0 && firstFrameMs <= playWithinMs;
  signalGroup(up.process, "SIGINT");
  const status = await Promise.race([up.exited, new Promise<number>((done) => setTimeout(() => done(-2), 5000))]);
  // npm itself ends by the signal; what counts is that everything it started has ended in time.
  const byStatus = status === 0 || up.process.signalCode === "SIGINT";
  if (!byStatus || groupLives(up.process)) {
    console.log(
      `Ctrl-C: exit status ${status}, signal ${up.process.signalCode}, ${groupLives(up.process) ? "something still runs" : "all ended"}`,
    );
    ok = false;
  }
} catch (error) {
  console.log((error as Error).message);
} finally {
  if (!ok) console.log(up.output().slice(-4000));
  await children.endAll();
}
console.log(`${ok ? 1 : 0} passed, ${ok ? 0 : 1} failed, 0 skipped`);
process.exitCode = ok ? 0 : 1;
