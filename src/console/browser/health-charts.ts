/** How a channel's ingest did over the last ten minutes, drawn by uPlot: bit rates, frame rate, distance of key frames, viewers; where it starved the ground is red. */
import uPlot from "uplot";
import type { HealthFigure, IngestHealthView } from "../../control/live/ingest-health.ts";
import { bitRate, build } from "./text.ts";

interface Chart {
  readonly title: string;
  readonly figures: readonly HealthFigure[];
  readonly labels: readonly string[];
  readonly text: (value: number) => string;
  /** Distances of lines, where not every number makes sense. */
  readonly steps?: readonly number[];
}

const whole = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

const charts: readonly Chart[] = [
  { title: "Bit rate", figures: ["videoBitrate", "audioBitrate"], labels: ["video", "audio"], text: bitRate },
  { title: "Frames a second", figures: ["framerate"], labels: ["frames"], text: (value) => value.toFixed(0), steps: whole },
  { title: "Key-frame interval", figures: ["keyframeInterval"], labels: ["interval"], text: (value) => `${value.toFixed(1)} s` },
  { title: "Viewers", figures: ["viewers"], labels: ["viewers"], text: (value) => value.toFixed(0), steps: whole },
];
const HEIGHT = 150;
/** A chart is at least so many seconds wide. */
const SHOWN_MIN = 120;

export class HealthCharts {
  readonly root = build("div", "charts", "");
  readonly #plots: { readonly plot: uPlot; readonly holder: HTMLElement; readonly now: HTMLElement; readonly chart: Chart }[] = [];
  readonly #resized = new ResizeObserver(() => this.#fit());
  #starving: readonly (number | null)[] = [];

  constructor() {
    for (const chart of charts) {
      const holder = build("figure", "chart", "");
      const caption = build("figcaption", "", "");
      const now = build("b", "", "–");
      caption.append(build("span", "", chart.title), now);
      holder.append(caption);
      this.root.append(holder);
      const plot = new uPlot(
        options(chart, () => this.#starving),
        [[], ...chart.figures.map(() => [])],
        holder,
      );
      this.#plots.push({ plot, holder, now, chart });
      this.#resized.observe(holder);
    }
  }

  show({ at, figures }: IngestHealthView): void {
    const all = figures.framerate.length;
    const first = figures.framerate.findIndex((value) => value !== null);
    const length = Math.max(SHOWN_MIN, first < 0 ? 0 : all - first);
    const seconds = Array.from({ length }, (_, i) => Math.round(at / 1000) - length + 1 + i);
    const shown = (name: HealthFigure): (number | null)[] => (all === 0 ? seconds.map(() => null) : figures[name].slice(-length));
    this.#starving = shown("starving");
    for (const { plot, now, chart } of this.#plots) {
      const columns = chart.figures.map(shown);
      plot.setData([seconds, ...columns]);
      const latest = columns.map((column) => column.at(-1) ?? undefined);
      now.textContent = latest.map((value) => (value === undefined ? "–" : chart.text(value))).join(" + ");
    }
  }

  close(): void {
    this.#resized.disconnect();
    for (const { plot } of this.#plots) plot.destroy();
    this.root.remove();
  }

  #fit(): void {
    for (const { plot, holder } of this.#plots) {
      const width = Math.floor(holder.clientWidth);
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }
}

function options({ labels, text, steps }: Chart, starving: () => readonly (number | null)[]): uPlot.Options {
  const colour = (name: string) => (): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--edge"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const strokes = ["--accent", "--good"];
  return {
    width: 300,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.15)] } },
    axes: [
      { ...axis, space: 60, size: 24, values: (_plot, splits) => splits.map(clockTime) },
      { ...axis, size: 64, space: 28, ...(steps && { incrs: [...steps] }), values: (_plot, splits) => splits.map(text) },
    ],
    series: [{}, ...labels.map((label, i) => ({ label, stroke: colour(strokes[i]!), width: 1.5, points: { show: false } }))],
    hooks: {
      drawClear: [
        (plot) => {
          const { ctx, bbox } = plot;
          const [values, times] = [starving(), plot.data[0]];
          ctx.save();
          ctx.globalAlpha = 0.18;
          ctx.fillStyle = colour("--bad")();
          for (const [i, value] of values.entries()) {
            if (value !== 1 || times[i] === undefined) continue;
            const [from, to] = [plot.valToPos(times[i] - 1, "x", true), plot.valToPos(times[i], "x", true)];
            ctx.fillRect(from, bbox.top, to - from, bbox.height);
          }
          ctx.restore();
        },
      ],
    },
  };
}

/** "17:24" */
function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}
