/**
 * How long a change takes from control to so many edges, over their real streams, with a thousand accelerators of ten endpoints stored.
 *
 *   npm run bench:edge-stream -- [--edges N] [--accelerators N] [--changes N]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { EdgeInstallation, type TestEdge } from "../../src/control/testing/edge-installation.ts";
import { parseArgs } from "../../test/script-args.ts";

const { values } = parseArgs({
  options: {
    edges: { type: "string", default: "50" },
    accelerators: { type: "string", default: "1000" },
    changes: { type: "string", default: "40" },
  },
});
const closing: (() => unknown)[] = [];
const installation = await EdgeInstallation.start({ after: (close: () => unknown) => closing.push(close) } as never);
const { source } = installation;
for (let i = 0; i < Number(values.accelerators); i++) source.put(`accelerator-${i}`, "", 10);
const edges: TestEdge[] = [];
for (let i = 0; i < Number(values.edges); i++) {
  const edge = await installation.join();
  edge.link.start();
  edges.push(edge);
}
const revision = async (): Promise<number> => source.revision();
const all = async (): Promise<void> => {
  const wanted = await revision();
  while (edges.some(({ config }) => config.revision !== wanted)) await sleep(1);
};
await all();
const took: number[] = [];
for (let i = 0; i < Number(values.changes); i++) {
  const started = performance.now();
  source.put(`accelerator-${i % Number(values.accelerators)}`, `change ${i}`, 10);
  await all();
  took.push(...edges.map(({ servedAt }) => servedAt.at(-1)! - started));
  await sleep(50);
}
took.sort((a, b) => a - b);
const at = (share: number): string => took[Math.min(took.length - 1, Math.floor(took.length * share))]!.toFixed(0);
process.stdout.write(
  `${values.edges} edges, ${values.accelerators} accelerators of 10 endpoints, ${values.changes} changes: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms\n`,
);
for (const close of closing) await close();
process.exit();
