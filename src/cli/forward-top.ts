/** `longhaul forward top`: rates of forwards and flows, live in the terminal. */
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { ForwardView, forwardOnce, forwardScreen } from "../top/forward-screen.ts";
import { ForwardTrack } from "../top/forward-track.ts";
import { glyphsFor } from "../top/glyphs.ts";
import { paintLine } from "../top/paint.ts";
import type { topConfig } from "./forward-options.ts";
import { readState, statePath } from "./forward-place.ts";
import { type CountSource, withSource } from "./forward-show.ts";
import { showLive } from "./live-screen.ts";

type TopConfig = z.output<typeof topConfig>;

/** Flows that are asked for; a screen shows fewer. */
const FLOWS_MAX = 10_000;

export function runForwardTop(config: TopConfig): Promise<number> {
  const path = statePath(config.state);
  const live = process.stdin.isTTY && process.stdout.isTTY && !config.once;
  return withSource(config, path, (source) => (live ? follow(source, path, config) : printOnce(source, path, config)));
}

async function look(source: CountSource, path: string, track: ForwardTrack, flowsOf: string | undefined): Promise<void> {
  track.update([...readState(path).forwards.keys()], await source.stats(), performance.now() / 1000);
  if (flowsOf !== undefined) track.updateFlows(await source.flows(FLOWS_MAX, flowsOf), performance.now() / 1000);
}

async function printOnce(source: CountSource, path: string, { period }: TopConfig): Promise<number> {
  const track = new ForwardTrack();
  await look(source, path, track, undefined);
  await sleep(period * 1000);
  await look(source, path, track, undefined);
  const width = process.stdout.isTTY ? process.stdout.columns : 160;
  process.stdout.write(
    `${forwardOnce(track, glyphsFor(process.env), width)
      .map((line) => paintLine(line, "text").trimEnd())
      .join("\n")}\n`,
  );
  return 0;
}

async function follow(source: CountSource, path: string, { period }: TopConfig): Promise<number> {
  const track = new ForwardTrack();
  const view = new ForwardView();
  const glyphs = glyphsFor(process.env);
  await showLive({
    period,
    draw: (width, height, clock) => forwardScreen({ track, view, glyphs, datapath: source.kind, clock }, width, height),
    press: (name) => {
      const before = view.open;
      if (!view.press(name, track)) return "end";
      return view.open === before ? undefined : "hurry";
    },
    look: () => look(source, path, track, view.wanted(track)),
  });
  return 0;
}
