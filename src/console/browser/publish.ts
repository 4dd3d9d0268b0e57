/** How to publish: settings to copy for OBS Studio and for ffmpeg. */
import type { Extra } from "../../live/link-figures.ts";
import type { Status } from "../../live/status.ts";
import { build } from "./text.ts";

let drawn = "";

export function drawPublish(section: HTMLElement, status: Status, extra: Extra): void {
  const port = extra.publish?.port ?? status.ingest.port;
  const key = extra.publish?.key ?? "<your stream key>";
  const host = location.hostname.includes(":") ? `[${location.hostname.replace(/[[\]]/g, "")}]` : location.hostname;
  const server = `rtmp://${host}${port === 1935 ? "" : `:${port}`}/live`;
  const ways = section.querySelector(".ways");
  if (ways === null || drawn === server + key) return;
  drawn = server + key;
  const obs = `Settings → Stream
  Service        Custom…
  Server         ${server}
  Stream Key     ${key}
Settings → Output (Advanced) → Streaming
  Rate control   CBR
  Keyframe       2 s
  Tune           zerolatency
  B-frames       0`;
  const ffmpeg = `ffmpeg -re -i input.mp4 \\
  -c:v libx264 -preset veryfast -tune zerolatency \\
  -g 60 -b:v 3M -maxrate 3M -bufsize 1M \\
  -c:a aac -b:a 128k \\
  -f flv "${server}/${key}"`;
  ways.replaceChildren(way("OBS Studio", obs), way("ffmpeg", ffmpeg));
}

function way(title: string, text: string): HTMLElement {
  const root = build("div", "way", "");
  const head = build("h3", "", title);
  const copy = build("button", "", "Copy");
  copy.addEventListener("click", () => {
    void navigator.clipboard?.writeText(text).then(() => {
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
  });
  head.append(copy);
  root.append(head, build("pre", "", text));
  return root;
}
