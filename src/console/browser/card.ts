/** One player with its figures. */
import type { PlayerPlan } from "../../live/link-figures.ts";
import type { ChannelStatus } from "../../live/status.ts";
import type { Figures } from "./figures.ts";
import { History } from "./history.ts";
import { Playback } from "./playback.ts";
import type { ServerClock } from "./server-clock.ts";
import { drawSparkline } from "./sparkline.ts";
import { bitRate, build, seconds } from "./text.ts";

export class Card {
  readonly plan: PlayerPlan;
  readonly #root: HTMLElement;
  readonly #playback: Playback;
  readonly #video: HTMLVideoElement;
  readonly #badge = build("span", "badge", "");
  readonly #now = build("b", "", "–");
  readonly #median = build("small", "", "median –");
  readonly #stream = build("span", "", "");
  readonly #canvas = document.createElement("canvas");
  readonly #values = new Map<string, HTMLElement>();
  readonly #history = new History(SAMPLES);

  /** `headers`: sent with every request for media. */
  constructor(into: HTMLElement, plan: PlayerPlan, url: string, clock: ServerClock, headers: Readonly<Record<string, string>> = {}) {
    this.plan = plan;
    this.#video = document.createElement("video");
    this.#video.muted = true;
    this.#video.autoplay = true;
    this.#video.playsInline = true;
    this.#playback = new Playback(this.#video, url, clock, headers);
    this.#root = build("article", "card", "");
    const screen = build("div", "screen", "");
    screen.append(this.#video, this.#badge, this.#soundButton());
    const title = build("div", "title", "");
    title.append(build("strong", "", plan.title), this.#stream);
    const latency = build("div", "latency", "");
    const numbers = document.createElement("div");
    numbers.append(this.#now, this.#median);
    latency.append(numbers, this.#canvas);
    const facts = build("div", "facts", "");
    facts.append(title);
    if (plan.note !== undefined) facts.append(build("small", "", plan.note));
    facts.append(latency, this.#list(["Stalls", "Stalled", "Buffer", "Dropped", "Late at origin"]));
    this.#root.append(screen, facts);
    into.append(this.#root);
  }

  get figures(): Figures {
    const { stalls, state } = this.#playback;
    return {
      channel: this.plan.channel,
      state,
      playing: state === "live",
      latencyMs: this.#playback.latencyMs,
      medianLatencyMs: this.#history.median,
      stalls: stalls.stalls,
      stalledMs: Math.round(stalls.stalledMs),
      hitches: stalls.hitches,
      marginMs: Math.round(this.#playback.marginMs),
      bufferMs: this.#playback.bufferMs,
      currentTime: this.#video.currentTime,
      droppedFrames: this.#playback.droppedFrames,
      restarts: this.#playback.restarts,
      prompts: this.#playback.prompts,
    };
  }

  get highestMs(): number {
    return this.#history.highest;
  }

  update(channel: ChannelStatus): void {
    this.#playback.live = channel.live;
    const video = channel.tracks.find(({ kind }) => kind === "video");
    const size = video === undefined ? "" : `${video.width}×${video.height} · `;
    this.#stream.textContent = channel.live ? `${size}${bitRate(channel.bitsPerSecond)}` : "off the air";
    this.#set("Late at origin", channel.live ? seconds(channel.lateMs) : "–", channel.lateMs > 500);
  }

  close(): void {
    this.#playback.close();
    this.#root.remove();
  }

  sample(): void {
    this.#playback.sample();
  }

  /** Four times a second. */
  record(): void {
    const { state, latencyMs } = this.#playback;
    this.#history.push(state === "live" || state === "stalled" ? latencyMs : undefined);
  }

  draw(scaleMs: number): void {
    const figures = this.figures;
    this.#root.dataset.state = figures.state;
    this.#badge.textContent = figures.state.toUpperCase();
    this.#now.textContent = figures.latencyMs === undefined ? "–" : seconds(figures.latencyMs);
    this.#median.textContent = `median ${figures.medianLatencyMs === undefined ? "–" : seconds(figures.medianLatencyMs)}`;
    this.#set("Stalls", String(figures.stalls), figures.stalls > 0);
    this.#set("Stalled", seconds(figures.stalledMs), figures.stalledMs > 0);
    this.#set("Buffer", seconds(figures.bufferMs), false);
    this.#set("Dropped", String(figures.droppedFrames), false);
    drawSparkline(this.#canvas, this.#history, SAMPLES, scaleMs);
  }

  #list(labels: readonly string[]): HTMLElement {
    const list = document.createElement("dl");
    for (const label of labels) {
      const entry = document.createElement("div");
      const value = build("dd", "", "–");
      this.#values.set(label, value);
      entry.append(build("dt", "", label), value);
      list.append(entry);
    }
    return list;
  }

  #set(label: string, text: string, bad: boolean): void {
    const value = this.#values.get(label);
    if (value === undefined) return;
    value.textContent = text;
    value.classList.toggle("bad", bad);
  }

  #soundButton(): HTMLElement {
    const button = build("button", "sound", "Sound on");
    button.addEventListener("click", () => {
      this.#video.muted = !this.#video.muted;
      button.textContent = this.#video.muted ? "Sound on" : "Sound off";
    });
    return button;
  }
}

/** A minute at four samples a second. */
const SAMPLES = 240;
