/** HEVC and AV1 as ffmpeg's encoders make them, published by Enhanced RTMP, which Debian's ffmpeg cannot send itself: its MP4 is taken apart and sent again. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { find, walk } from "../../src/media/cmaf/testing/walk.ts";
import { VIDEO } from "../../src/media/flv/tag.ts";
import { RtmpPublisher } from "../../src/media/rtmp/publisher.ts";
import { sleep } from "./children.ts";

export const FRAMES = 100;
const FRAME_MS = 40;

interface Coded {
  readonly fourCc: "hvc1" | "av01";
  readonly record: Uint8Array;
  readonly pictures: readonly Uint8Array[];
}

/** Four seconds of 25 pictures a second, a key frame every two. */
export function encode(fourCc: Coded["fourCc"], folder: string): Coded {
  const path = join(folder, `${fourCc}.mp4`);
  const hevc = ["libx265", "-preset", "ultrafast", "-x265-params", "keyint=50:min-keyint=50:bframes=0:log-level=error:info=0"];
  const codec = fourCc === "hvc1" ? hevc : ["libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "50"];
  const source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-frames:v", String(FRAMES), "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", ...source, "-c:v", ...codec, "-tag:v", fourCc, path]);
  const file = new Uint8Array(readFileSync(path));
  const boxes = walk(file);
  const table = "moov/trak/mdia/minf/stbl";
  const entry = find(boxes, `${table}/stsd`)[0]!.payload;
  const name = new TextEncoder().encode(fourCc === "hvc1" ? "hvcC" : "av1C");
  const at = Buffer.from(entry).indexOf(name);
  const record = entry.subarray(at + 4, at - 4 + new DataView(entry.buffer, entry.byteOffset + at - 4).getUint32(0));
  const sizes = new DataView(find(boxes, `${table}/stsz`)[0]!.payload.slice().buffer);
  const media = find(boxes, "mdat")[0]!.payload;
  const pictures: Uint8Array[] = [];
  for (let i = 0, from = 0; i < FRAMES; i++) {
    const size = sizes.getUint32(12 + 4 * i);
    pictures.push(media.subarray(from, from + size));
    from += size;
  }
  return { fourCc, record, pictures };
}

/** Publishes all of it as fast as the socket takes it; the connection stays until it is destroyed. */
export function publish(port: number, key: string, { fourCc, record, pictures }: Coded): Promise<Socket> {
  const tag = new TextEncoder().encode(fourCc);
  const publisher = new RtmpPublisher({
    random: new Uint8Array(1528),
    app: "live",
    key,
    tcUrl: "rtmp://localhost/live",
    limits: { outboxBytesMax: 1e8 },
  });
  const socket = connect(port, "127.0.0.1");
  const buffer = new Uint8Array(65_536);
  const flush = (): void => {
    for (let n = publisher.transmit(buffer, 0, buffer.length); n > 0; n = publisher.transmit(buffer, 0, buffer.length))
      socket.write(buffer.slice(0, n));
  };
  return new Promise((resolve, reject) => {
    socket.on("connect", flush);
    socket.on("error", reject);
    socket.on("data", (bytes) => {
      publisher.receive(performance.now(), bytes as Buffer, 0, bytes.length);
      flush();
      const event = publisher.event();
      if (event?.kind === "refused") reject(new Error(event.description));
      if (event?.kind !== "accepted") return;
      publisher.send(VIDEO, 0, Uint8Array.of(0x90, ...tag, ...record));
      // CodedFramesX: no composition time.
      for (const [i, picture] of pictures.entries())
        publisher.send(VIDEO, i * FRAME_MS, Uint8Array.of(i % 50 === 0 ? 0x93 : 0xa3, ...tag, ...picture));
      flush();
      resolve(socket);
    });
  });
}

/** Everything in the playlist, decoded: codec and number of pictures. */
export async function decoded(base: string, folder: string): Promise<string> {
  let playlist = "";
  for (let i = 0; i < 100 && playlist.split("#EXT-X-PART:").length < (0.9 * FRAMES * FRAME_MS) / 200; i++) {
    const response = await fetch(`${base}/media.m3u8`);
    if (response.ok) playlist = await response.text();
    await sleep(50);
  }
  const names = [...playlist.matchAll(/URI="(init-\d+\.mp4)"/g)].map(([, name]) => name!).slice(0, 1);
  for (const line of playlist.split("\n")) {
    const part = /^#EXT-X-PART:.*URI="([^"]+)"/.exec(line)?.[1];
    if (part !== undefined) names.push(part);
  }
  const pieces = await Promise.all(names.map(async (name) => new Uint8Array(await (await fetch(`${base}/${name}`)).arrayBuffer())));
  const path = join(folder, "decoded.mp4");
  writeFileSync(path, Buffer.concat(pieces));
  const show = ["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0", path];
  return execFileSync("ffprobe", show, { encoding: "utf8" }).trim();
}
