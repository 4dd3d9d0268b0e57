/**
 * What viewers fetch, as an HTTP application without a socket.
 *
 *   GET /live/<channel>/index.m3u8            multivariant playlist
 *   GET /live/<channel>/media.m3u8            media playlist; ?_HLS_msn=&_HLS_part= waits for that part, ?_HLS_skip=YES asks for a delta update
 *   GET /live/<channel>/init-<n>.mp4          init segment
 *   GET /live/<channel>/<msn>.m4s             segment
 *   GET /live/<channel>/<msn>.<part>.m4s      part; the one the playlist hints at is waited for
 *   GET /api/status                           what is on the air, as JSON
 *
 * Source: RFC 8216bis sections 6.2 and appendix B (caching). Every address but the playlists and the status stands for the same bytes for ever, so a
 * CDN may keep them; a playlist asked for by number stays right for as long as the segments in it, because a later one is asked for by another number.
 */
import { Hono } from "hono";
import { blockingReload } from "../media/hls/blocking-reload.ts";
import { bandwidth, multivariantPlaylist } from "../media/hls/multivariant-playlist.ts";
import { parseUri } from "../media/hls/uri.ts";
import type { Channel } from "./channel.ts";
import type { Encoded } from "./playlist-cache.ts";
import { type Status, status } from "./status.ts";
import type { Waited } from "./waiters.ts";

/** What delivery needs of the origin. */
export interface Source {
  readonly channels: ReadonlyMap<string, Channel>;
  /** Monotonic and wall clock (Unix ms). */
  now(): number;
  wallClock(): number;
  /** Lets deadlines be looked at again, after a request began to wait. */
  wake(): void;
  readonly ingest: Status["ingest"];
}

/** `extra` is put into the status as it is: figures of the links below, for the page. */
export function delivery(source: Source, extra: () => unknown = () => undefined): Hono {
  const app = new Hono();
  app.use("/*", async (context, next) => {
    await next();
    context.header("access-control-allow-origin", "*");
    context.header("timing-allow-origin", "*");
  });
  app.options(
    "/*",
    () =>
      new Response(null, { status: 204, headers: { "access-control-allow-methods": "GET, HEAD", "access-control-allow-headers": "*" } }),
  );
  app.get("/api/status", (context) => {
    context.header("cache-control", "no-store");
    return context.json(status(source, extra()));
  });
  app.get("/live/:channel/:resource", (context) => {
    const channel = source.channels.get(context.req.param("channel"));
    if (channel === undefined) return refuse(404, "no such channel");
    const resource = context.req.param("resource");
    const query = (name: string): string | undefined => context.req.query(name);
    const { signal } = context.req.raw;
    if (resource === "index.m3u8") return multivariant(source, channel, signal);
    if (resource === "media.m3u8") return media(source, channel, query, context.req.header("accept-encoding") ?? "", signal);
    return file(source, channel, resource, signal);
  });
  return app;
}

async function multivariant(source: Source, channel: Channel, signal: AbortSignal): Promise<Response> {
  // Right after an encoder began there is nothing to say yet; the first part is a moment away.
  if (channel.live && channel.window.listed.length === 0) {
    const refused = unready(await wait(source, channel, channel.window.nextMsn, 0, signal));
    if (refused !== undefined) return refused;
  }
  if (channel.window.listed.length === 0) return refuse(404, "the channel is off the air");
  const text = multivariantPlaylist(channel.tracks, bandwidth(channel.window), channel.window.independentSegments, "media.m3u8");
  return new Response(text, { headers: { "content-type": PLAYLIST_TYPE, "cache-control": "max-age=1" } });
}

async function media(
  source: Source,
  channel: Channel,
  query: (name: string) => string | undefined,
  acceptEncoding: string,
  signal: AbortSignal,
): Promise<Response> {
  const msn = query("_HLS_msn");
  const reload = blockingReload(channel.window, msn, query("_HLS_part"));
  if (reload.kind === "bad") return refuse(400, reload.reason);
  if (reload.kind === "wait") {
    const refused = unready(await wait(source, channel, reload.msn, reload.part, signal));
    if (refused !== undefined) return refused;
  }
  const skip = query("_HLS_skip");
  const encoded = channel.playlists.playlist(skip === "YES" || skip === "v2");
  if (encoded.text === "") return refuse(404, "the channel is off the air");
  const seconds = msn === undefined ? 1 : 6 * channel.window.targetDuration;
  return playlistResponse(encoded, acceptEncoding, seconds);
}

function playlistResponse({ text, gzip }: Encoded, acceptEncoding: string, seconds: number): Response {
  const headers = { "content-type": PLAYLIST_TYPE, "cache-control": `max-age=${seconds}`, vary: "accept-encoding" };
  if (!/\bgzip\b/.test(acceptEncoding)) return new Response(text, { headers });
  return new Response(gzip, { headers: { ...headers, "content-encoding": "gzip" } });
}

async function file(source: Source, channel: Channel, name: string, signal: AbortSignal): Promise<Response> {
  const { window } = channel;
  const resource = parseUri(name);
  if (resource === undefined) return refuse(404, "no such file");
  if (resource.kind === "init") return found(window.init(resource.id));
  if (resource.kind === "segment") return found(window.segment(resource.msn)?.bytes);
  if (channel.live && resource.msn === window.nextMsn && resource.part === window.nextPart) {
    const refused = unready(await wait(source, channel, resource.msn, resource.part, signal));
    if (refused !== undefined) return refused;
  }
  return found(window.segment(resource.msn)?.parts[resource.part]?.bytes);
}

function wait(source: Source, channel: Channel, msn: number, part: number, signal: AbortSignal): Promise<Waited> {
  const waited = channel.wait(source.now(), msn, part, signal);
  source.wake();
  return waited;
}

/** The answer to a request that waited in vain. */
function unready(waited: Waited): Response | undefined {
  switch (waited) {
    case "ready":
      return undefined;
    case "gone":
    case "timeout":
      return refuse(503, "nothing new came in time");
    case "full":
      return refuse(503, "too many requests are waiting");
  }
}

function found(bytes: Uint8Array | undefined): Response {
  if (bytes === undefined) return refuse(404, "not held, or no longer");
  const headers = {
    "content-type": MEDIA_TYPE,
    "cache-control": "public, max-age=3600, immutable",
    "content-length": String(bytes.length),
  };
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
}

/** What is not there now may be there in a second; only what can never be right may be remembered as wrong. */
function refuse(code: 400 | 404 | 503, text: string): Response {
  const headers: Record<string, string> = {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": code === 400 ? "max-age=60" : "no-store",
  };
  if (code === 503) headers["retry-after"] = "1";
  return new Response(`${text}\n`, { status: code, headers });
}

const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const MEDIA_TYPE = "video/mp4";
