/** A channel's stream sessions, the newest first; the events of one when it is opened. */
import type * as ivs from "@aws-sdk/client-ivs";
import { showChildren } from "./children.ts";
import { ivsCall } from "./control-calls.ts";
import { build } from "./text.ts";

const SHOWN = 20;

export class SessionHistory {
  readonly root = build("div", "sessions", "");
  readonly #channelArn: string;
  readonly #failed: (problem: unknown) => void;
  readonly #rows = new Map<
    string,
    { readonly row: HTMLDetailsElement; show(session: ivs.StreamSessionSummary): void; refresh(): Promise<void> }
  >();

  constructor(channelArn: string, failed: (problem: unknown) => void) {
    this.#channelArn = channelArn;
    this.#failed = failed;
  }

  async refresh(): Promise<void> {
    const { streamSessions = [] } = await ivsCall<ivs.ListStreamSessionsResponse>("ListStreamSessions", {
      channelArn: this.#channelArn,
      maxResults: SHOWN,
    });
    const rows: HTMLElement[] = [];
    for (const session of streamSessions) {
      const row = this.#rows.get(session.streamId!) ?? this.#row(session.streamId!);
      row.show(session);
      rows.push(row.row);
      if (row.row.open) await row.refresh();
    }
    if (rows.length === 0) rows.push(build("p", "none", "Nothing was on the air yet."));
    showChildren(this.root, rows);
  }

  #row(streamId: string) {
    const row = build("details", "session", "");
    const [when, how, pill] = [build("span", "when", ""), build("span", "how", ""), build("span", "pill", "")];
    const summary = document.createElement("summary");
    summary.append(when, how, pill);
    const events = build("ol", "events", "");
    row.append(summary, events);
    const refresh = async (): Promise<void> => {
      const { streamSession } = await ivsCall<ivs.GetStreamSessionResponse>("GetStreamSession", { channelArn: this.#channelArn, streamId });
      events.replaceChildren(...[build("li", "", streamId), ...lines(streamSession!)]);
    };
    row.addEventListener("toggle", () => {
      if (row.open) refresh().catch(this.#failed);
    });
    const made = {
      row,
      refresh,
      show({ startTime, endTime, hasErrorEvent }: ivs.StreamSessionSummary): void {
        const [start, end] = [new Date(startTime!), endTime === undefined ? undefined : new Date(endTime)];
        when.textContent = start.toLocaleString();
        how.textContent = duration((end?.getTime() ?? Date.now()) - start.getTime());
        pill.textContent = end === undefined ? "live" : hasErrorEvent === true ? "with errors" : "ended";
        pill.dataset.kind = end === undefined ? "good" : hasErrorEvent === true ? "bad" : "off";
      },
    };
    this.#rows.set(streamId, made);
    return made;
  }
}

function lines({ ingestConfiguration, ingestConfigurations, truncatedEvents = [] }: ivs.StreamSession): HTMLElement[] {
  const { video, audio } = ingestConfiguration ?? {};
  const others = (ingestConfigurations?.videoConfigurations ?? [])
    .slice(1)
    .map(({ videoWidth, videoHeight }) => `${videoWidth}×${videoHeight}`);
  const came = [
    video && `${video.codec} ${video.videoWidth}×${video.videoHeight}${video.targetFramerate ? ` at ${video.targetFramerate}/s` : ""}`,
    others.length > 0 && `and ${others.join(", ")}`,
    video?.profile && `${video.profile} ${video.level}`,
    audio && `${audio.codec} ${audio.sampleRate} Hz, ${audio.channels} channels`,
    video?.encoder && `by ${video.encoder}`,
  ].filter((text) => text !== undefined && text !== "" && text !== false);
  const events = truncatedEvents.map(({ eventTime, name = "", type = "", code = "" }) => {
    const line = document.createElement("li");
    const bad = /Breach/.test(type) || /Starvation Start|Failure|Unavailable/.test(name);
    line.append(
      build("time", "", new Date(eventTime!).toLocaleTimeString()),
      build("b", bad ? "bad" : "", name),
      build("span", "", [type.replace(/^IVS /, ""), code].filter((text) => text !== "").join(" · ")),
    );
    return line;
  });
  return [...(came.length === 0 ? [] : [build("li", "", came.join(" · "))]), ...events];
}

/** "1 h 3 min", "12 min", "40 s" */
function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
