/**
 * What viewers fetch, as an HTTP application without a socket.
 *
 *   GET /live/<channel>/index.m3u8            multivariant playlist
 *   GET /live/<channel>/media.m3u8            media playlist; ?_HLS_msn=&_HLS_part= waits for that part, ?_HLS_skip=YES asks for a delta update
 *   GET /live/<channel>/init-<n>.mp4          init segment
 *   GET /live/<channel>/<msn>.m4s             segment
 *   GET /live/<channel>/<msn>.<part>.m4s      part; the one the playlist hints at is waited for
 *   GET /live/<channel>/r/<rendition>/…       media playlist, init segments, segments and parts of another rendition
 *   GET /live/<channel>/s/<session>/…         the same for a viewer who was let in by a gate (playback-gate.ts)
 *   GET /api/status                           what is on the air, as JSON
 *
 * Source: RFC 8216bis sections 6.2 and appendix B (caching). Every address but the playlists and the status stands for the same bytes for ever, so a
 * CDN may keep them; a playlist asked for by number stays right for as long as the segments in it, because a later one is asked for by another number.
 */
import { getConnInfo } from "@hono/node-server/conninfo";
import { type Context, Hono } from "hono";
import type { ClientAddress } from "../host/trusted-proxies.ts";
import { blockingReload } from "../media/hls/blocking-reload.ts";
import { bandwidth, multivariantPlaylist, type Variant } from "../media/hls/multivariant-playlist.ts";
import { parseUri } from "../media/hls/uri.ts";
import type { Channel } from "./channel.ts";
import { openGate, type PlaybackGate, type PlaybackRefusal, type Viewer } from "./playback-gate.ts";
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

export interface DeliveryOptions {
  /** Put into the status as it is: figures of the links below, for the page. */
  readonly extra?: () => unknown;
  readonly gate?: PlaybackGate;
  /** Where a request comes from; default: the socket's other end. */
  readonly client?: ClientAddress;
  /** The channel that another address of a multivariant playlist stands for, beside /live/…/index.m3u8. */
  readonly alias?: { readonly path: string; readonly channel: (name: string) => string | undefined };
}

export function delivery(source: Source, { extra = () => undefined, gate = openGate, client, alias }: DeliveryOptions = {}): Hono {
  const app = new Hono();
  const master = async (context: Context, name: string | undefined, base: string): Promise<Response> => {
    const channel = name === undefined ? undefined : source.channels.get(name);
    if (channel === undefined) return refuse(404, "no such channel");
    const admission = await gate.begin(channel, viewerOf(context, client));
    if ("reason" in admission) return forbidden(admission);
    const path = admission.session === undefined ? "" : `s/${admission.session}/`;
    // What names a viewer's session is that viewer's alone.
    const caching = admission.session === undefined ? "max-age=1" : "private, no-store";
    return multivariant(source, channel, `${base}${path}`, admission.pixels, caching, () => context.req.raw.signal);
  };
  const rest = (context: Context, resource: string, session: string | undefined): Promise<Response> | Response => {
    const whole = source.channels.get(context.req.param("channel")!);
    const rendition = context.req.param("rendition");
    const channel = rendition === undefined ? whole : whole?.renditions.get(rendition);
    if (whole === undefined || channel === undefined) return refuse(404, "no such channel");
    const refused = gate.check(whole, session, viewerOf(context, client), channel.pixels);
    if (refused !== undefined) return forbidden(refused);
    const query = (name: string): string | undefined => context.req.query(name);
    const signal = (): AbortSignal => context.req.raw.signal;
    const kept = session === undefined ? "" : "origin";
    if (resource === "media.m3u8") return media(source, channel, query, context.req.header("accept-encoding") ?? "", kept, signal);
    return file(source, channel, resource, kept, signal);
  };
  app.get("/live/:channel/index.m3u8", (context) => master(context, context.req.param("channel"), ""));
  if (alias !== undefined) {
    app.get(alias.path, (context) => {
      const name = alias.channel(context.req.param("name")!);
      return master(context, name, `/live/${name}/`);
    });
  }
  app.get("/live/:channel/r/:rendition/:resource", (context) => rest(context, context.req.param("resource"), undefined));
  app.get("/live/:channel/s/:session/r/:rendition/:resource", (context) =>
    rest(context, context.req.param("resource"), context.req.param("session")),
  );
  app.get("/live/:channel/s/:session/:resource", (context) => rest(context, context.req.param("resource"), context.req.param("session")));
  app.get("/live/:channel/:resource", (context) => rest(context, context.req.param("resource"), undefined));
  // Behind the media: what passes through here is looked into and made anew, which costs a body of media more than sending it.
  app.use("/*", async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(ANYWHERE)) context.header(name, value);
  });
  app.options(
    "/*",
    () =>
      new Response(null, { status: 204, headers: { "access-control-allow-methods": "GET, HEAD", "access-control-allow-headers": "*" } }),
  );
  app.get("/api/status", (context) => {
    context.header("cache-control", "no-store");
    return context.json(status(source, extra(), (channel) => gate.lists(channel)));
  });
  return app;
}

/** What a request tells of the viewer. */
export function viewerOf(context: Context, client: ClientAddress = (peer) => peer): Viewer {
  const bearer = /^Bearer (\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  return {
    token: context.req.query("token") ?? bearer,
    origin: context.req.header("origin"),
    address: client(peerOf(context), context.req.header("x-forwarded-for")),
    agent: context.req.header("user-agent") ?? "",
  };
}

/** Empty where there is no socket. */
function peerOf(context: Context): string {
  const served = typeof context.env === "object" && context.env !== null && "incoming" in context.env;
  return served ? (getConnInfo(context).remote.address ?? "") : "";
}

function forbidden({ status, reason }: PlaybackRefusal): Response {
  return new Response(`${reason}\n`, {
    status,
    headers: { ...ANYWHERE, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}

/** `base`: what addresses of media playlists begin with. `pixels`: pictures larger than that are not offered. */
async function multivariant(
  source: Source,
  channel: Channel,
  base: string,
  pixels: number | undefined,
  caching: string,
  signal: () => AbortSignal,
): Promise<Response> {
  // Right after an encoder began there is nothing to say yet; the first part is a moment away.
  if (channel.live && channel.window.listed.length === 0) {
    const refused = unready(await wait(source, channel, channel.window.nextMsn, 0, signal));
    if (refused !== undefined) return refused;
  }
  if (channel.window.listed.length === 0) return refuse(404, "the channel is off the air");
  const variants: Variant[] = [];
  const offer = (each: Channel, uri: string): void => {
    if (each.window.listed.length === 0 || each.pixels > (pixels ?? Number.POSITIVE_INFINITY)) return;
    variants.push({ tracks: each.tracks, bandwidth: bandwidth(each.window), uri: `${base}${uri}` });
  };
  offer(channel, "media.m3u8");
  for (const [name, rendition] of channel.renditions) if (rendition.live || !channel.live) offer(rendition, `r/${name}/media.m3u8`);
  if (variants.length === 0) return forbidden({ status: 403, reason: "no rendition is as small as the token allows" });
  const text = multivariantPlaylist(variants, channel.window.independentSegments);
  return new Response(text, { headers: { ...ANYWHERE, "content-type": PLAYLIST_TYPE, "cache-control": caching } });
}

async function media(
  source: Source,
  channel: Channel,
  query: (name: string) => string | undefined,
  acceptEncoding: string,
  vary: string,
  signal: () => AbortSignal,
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
  return playlistResponse(encoded, acceptEncoding, vary, seconds);
}

/** `vary`: what else than the encoding decides about the answer: in which page a session may play. */
function playlistResponse({ text, gzip }: Encoded, acceptEncoding: string, vary: string, seconds: number): Response {
  const by = vary === "" ? "accept-encoding" : `accept-encoding, ${vary}`;
  const headers = { ...ANYWHERE, "content-type": PLAYLIST_TYPE, "cache-control": `max-age=${seconds}`, vary: by };
  if (!/\bgzip\b/.test(acceptEncoding)) return new Response(text, { headers });
  return new Response(gzip, { headers: { ...headers, "content-encoding": "gzip" } });
}

async function file(source: Source, channel: Channel, name: string, vary: string, signal: () => AbortSignal): Promise<Response> {
  const { window } = channel;
  const resource = parseUri(name);
  if (resource === undefined) return refuse(404, "no such file");
  if (resource.kind === "init") return found(window.init(resource.id), vary);
  if (resource.kind === "segment") return found(window.segment(resource.msn)?.bytes, vary);
  if (channel.live && resource.msn === window.nextMsn && resource.part === window.nextPart) {
    const refused = unready(await wait(source, channel, resource.msn, resource.part, signal));
    if (refused !== undefined) return refused;
  }
  return found(window.segment(resource.msn)?.parts[resource.part]?.bytes, vary);
}

function wait(source: Source, channel: Channel, msn: number, part: number, signal: () => AbortSignal): Promise<Waited> {
  const waited = channel.wait(source.now(), msn, part, signal());
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

function found(bytes: Uint8Array | undefined, vary: string): Response {
  if (bytes === undefined) return refuse(404, "not held, or no longer");
  const headers = {
    ...ANYWHERE,
    "content-type": MEDIA_TYPE,
    "cache-control": "public, max-age=3600, immutable",
    "content-length": String(bytes.length),
    ...(vary !== "" && { vary }),
  };
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
}

/** What is not there now may be there in a second; only what can never be right may be remembered as wrong. */
function refuse(code: 400 | 404 | 503, text: string): Response {
  const headers: Record<string, string> = {
    ...ANYWHERE,
    "content-type": "text/plain; charset=utf-8",
    "cache-control": code === 400 ? "max-age=60" : "no-store",
  };
  if (code === 503) headers["retry-after"] = "1";
  return new Response(`${text}\n`, { status: code, headers });
}

/** Players run in pages of any origin; where a channel minds, its gate looks. */
const ANYWHERE = { "access-control-allow-origin": "*", "timing-allow-origin": "*" };
const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const MEDIA_TYPE = "video/mp4";
