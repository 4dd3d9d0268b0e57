/** One channel: what is on the air, and when it is opened the monitor, how its ingest does, where to publish, its settings and its sessions. */
import type * as ivs from "@aws-sdk/client-ivs";
import type { ChannelStatus } from "../../live/status.ts";
import { Card } from "./card.ts";
import { limitsOf } from "./channel-limits.ts";
import { ingestHealth, ivsCall, ours } from "./control-calls.ts";
import { copyable } from "./copyable.ts";
import { HealthCharts } from "./health-charts.ts";
import type { ServerClock } from "./server-clock.ts";
import { SessionHistory } from "./session-history.ts";
import { SettingFields } from "./setting-fields.ts";
import { rotate, shownKey } from "./stream-key.ts";
import { bitRate, build } from "./text.ts";

export interface ChannelCardOptions {
  /** Streams may be stopped, keys rotated. */
  readonly changeable: boolean;
  /** Channels may be changed and deleted. */
  readonly admin: boolean;
  readonly clock: ServerClock;
  /** Where encoders publish by RTMPS. */
  readonly rtmps: () => string | undefined;
  readonly failed: (problem: unknown) => void;
  /** It was changed: the list is to be read anew. */
  readonly changed: () => void;
}

/** What exists only while the card is open. */
interface Opened {
  readonly body: HTMLElement;
  readonly monitor: Card;
  readonly charts: HealthCharts;
  readonly history: SessionHistory;
  readonly settings: SettingsForm | undefined;
  readonly stop: HTMLButtonElement;
  drawn: number;
}

const SETTLED = 4;
const LATENCY_SCALE_MIN = 2000;

export class ChannelCard {
  readonly root = document.createElement("details");
  readonly id: string;
  readonly #arn: string;
  readonly #options: ChannelCardOptions;
  readonly #name = build("strong", "", "");
  readonly #pill = build("span", "pill", "");
  readonly #facts = build("span", "places", "");
  #opened: Opened | undefined;

  constructor(arn: string, options: ChannelCardOptions) {
    this.#arn = arn;
    this.#options = options;
    this.id = arn.slice(arn.lastIndexOf("/") + 1);
    this.root.className = "card fold channel";
    const summary = document.createElement("summary");
    summary.append(this.#name, this.#pill, this.#facts);
    this.root.append(summary);
    this.root.addEventListener("toggle", () => {
      if (this.root.open) this.#open().catch(options.failed);
      else this.close();
    });
  }

  show(summary: ivs.ChannelSummary, stream: ivs.StreamSummary | undefined, status: ChannelStatus | undefined): void {
    this.#name.textContent = summary.name || this.id;
    const starving = stream?.health === "STARVING";
    this.#pill.textContent = stream === undefined ? "off the air" : starving ? "starving" : "live";
    this.#pill.dataset.kind = stream === undefined ? "off" : starving ? "bad" : "good";
    const viewers = stream === undefined ? [] : [`${stream.viewerCount} ${stream.viewerCount === 1 ? "viewer" : "viewers"}`];
    const rate = stream === undefined || status === undefined ? [] : [bitRate(status.bitsPerSecond)];
    const access = summary.authorized === true ? ["private"] : [];
    this.#facts.textContent = [
      ...viewers,
      ...rate,
      `${summary.type} (${limitsOf(summary.type ?? "")})`,
      summary.latencyMode,
      ...access,
    ].join(" · ");
    const opened = this.#opened;
    if (opened === undefined) return;
    if (status !== undefined) opened.monitor.update(status);
    opened.stop.hidden = stream === undefined || !this.#options.changeable;
    opened.settings?.live(stream !== undefined);
  }

  /** What is in it, if it is open; every poll. */
  async refresh(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    opened.charts.show(await ingestHealth(this.id));
    await opened.history.refresh();
  }

  sample(): void {
    this.#opened?.monitor.sample();
  }

  /** Four times a second. */
  draw(): void {
    const opened = this.#opened;
    if (opened === undefined) return;
    opened.monitor.record();
    if (opened.drawn++ >= SETTLED) opened.monitor.draw(Math.max(LATENCY_SCALE_MIN, opened.monitor.highestMs));
  }

  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.monitor.close();
    opened?.charts.close();
    opened?.body.remove();
  }

  async #open(): Promise<void> {
    if (this.#opened !== undefined) return;
    const { failed, clock, changeable, admin, changed } = this.#options;
    const { channel } = await ivsCall<ivs.GetChannelResponse>("GetChannel", { arn: this.#arn });
    if (!this.root.open || this.#opened !== undefined) return;
    const body = build("div", "body", "");
    const [screen, side] = [build("div", "monitor", ""), build("div", "side", "")];
    const plan = { channel: this.id, title: "Live monitor" };
    const monitor = new Card(screen, plan, `/console/preview/live/${this.id}/index.m3u8`, clock, ours);
    const charts = new HealthCharts();
    const history = new SessionHistory(this.#arn, failed);
    const stop = action("Stop the stream", async () => void (await ivsCall("StopStream", { channelArn: this.#arn })), failed);
    const publish = section("Publish and play");
    const srt = channel!.srt?.endpoint;
    const rtmps = this.#options.rtmps();
    publish.append(
      ...(rtmps === undefined ? [] : [copyable("RTMPS server", rtmps)]),
      ...(srt === undefined ? [] : [copyable("SRT", srt)]),
      copyable("Playback", channel!.playbackUrl!),
    );
    const place = build("div", "", "");
    const renew = action("New stream key", async () => place.replaceChildren(shownKey(channel!, await rotate(channel!), rtmps)), failed);
    renew.title = "The present key no longer works then; who publishes goes on until it ends.";
    const actions = build("p", "actions", "");
    actions.append(...(changeable ? [renew] : []), stop);
    publish.append(actions, place);
    side.append(publish);
    const settings = admin ? new SettingsForm(channel!, changed, failed) : undefined;
    if (settings !== undefined) side.append(settings.root);
    const ingest = section("Ingest");
    ingest.append(charts.root);
    const sessions = section("Sessions");
    sessions.append(history.root);
    const top = build("div", "top", "");
    top.append(screen, side);
    body.append(top, ingest, sessions);
    this.root.append(body);
    this.#opened = { body, monitor, charts, history, settings, stop, drawn: 0 };
    stop.hidden = true;
    await this.refresh();
  }
}

class SettingsForm {
  readonly root = section("Settings");
  readonly #fields: SettingFields;
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #note = build("small", "", "");

  constructor(channel: ivs.Channel, changed: () => void, failed: (problem: unknown) => void) {
    const form = build("form", "settings", "");
    const actions = build("p", "actions", "");
    const done = (work: () => Promise<unknown>) => async (): Promise<void> => {
      await work();
      changed();
    };
    const save = action(
      "Save",
      done(() => ivsCall("UpdateChannel", { arn: channel.arn, ...this.#fields.value })),
      failed,
    );
    const remove = action(
      "Delete…",
      done(async () => {
        if (confirm(`Delete channel ${channel.name || channel.arn}, its key and its address?`))
          await ivsCall("DeleteChannel", { arn: channel.arn });
      }),
      failed,
    );
    actions.append(save, remove, this.#note);
    form.append(actions);
    form.addEventListener("submit", (event) => event.preventDefault());
    this.#fields = new SettingFields(actions);
    const {
      type = "STANDARD",
      latencyMode = "LOW",
      insecureIngest = false,
      authorized = false,
      multitrackInputConfiguration = {},
    } = channel;
    this.#fields.value = { type, latencyMode, insecureIngest, authorized, multitrackInputConfiguration };
    this.#buttons = [save, remove];
    this.root.append(form);
  }

  /** A channel on the air is not changed. */
  live(live: boolean): void {
    this.#fields.disabled = live;
    for (const button of this.#buttons) button.disabled = live;
    this.#note.textContent = live ? "A channel on the air is not changed." : "";
  }
}

function section(title: string): HTMLElement {
  const made = document.createElement("section");
  made.append(build("h3", "", title));
  return made;
}

function action(text: string, work: () => Promise<void>, failed: (problem: unknown) => void): HTMLButtonElement {
  const button = build("button", "quiet", text);
  button.type = "button";
  button.addEventListener("click", () => {
    button.disabled = true;
    work()
      .catch(failed)
      .finally(() => {
        button.disabled = false;
      });
  });
  return button;
}
