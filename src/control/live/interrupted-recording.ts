/**
 * Ends what a program that died left open: playlists say that nothing follows, and recording-ended.json is what recording-started.json said and what came after it.
 */
import { PLAYLIST, RANGES } from "./recorded-rendition.ts";
import { MASTER } from "./recording.ts";
import type { Storage } from "./storage.ts";

interface Started {
  readonly media?: { readonly hls?: object };
}

/** False: there is no such recording, or it was ended. `now` in Unix ms. */
export async function finishRecording(storage: Storage, bucket: string, prefix: string, now: number): Promise<boolean> {
  const get = async (key: string): Promise<string | undefined> => {
    const bytes = await storage.get(bucket, `${prefix}/${key}`);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  if ((await get("events/recording-ended.json")) !== undefined) return false;
  const [master, began] = [await get(`media/hls/${MASTER}`), await get("events/recording-started.json")];
  if (master === undefined && began === undefined) return false;
  let longest = 0;
  for (const line of (master ?? "").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const folder = line.slice(0, line.lastIndexOf("/"));
    for (const name of [PLAYLIST, RANGES]) {
      const key = `media/hls/${folder}/${name}`;
      const text = await get(key);
      if (text === undefined) continue;
      longest = Math.max(longest, durationOf(text));
      if (!text.includes("#EXT-X-ENDLIST")) await storage.put(bucket, `${prefix}/${key}`, `${text}#EXT-X-ENDLIST\n`);
    }
  }
  const started = JSON.parse(began ?? "{}") as Started;
  const body = {
    ...started,
    ...{ version: "v1", recording_ended_at: new Date(now).toISOString(), recording_status: "RECORDING_ENDED" },
    media: { ...started.media, hls: { duration_ms: Math.round(longest * 1000), ...started.media?.hls } },
  };
  await storage.put(bucket, `${prefix}/events/recording-ended.json`, `${JSON.stringify(body, undefined, 1)}\n`);
  return true;
}

/** Seconds of all that a playlist lists. */
function durationOf(playlist: string): number {
  let seconds = 0;
  for (const [, each] of playlist.matchAll(/#EXTINF:([\d.]+)/g)) seconds += Number(each);
  return seconds;
}
