/**
 * Who may play a channel of the installation: the token where the channel asks for one, the policy's origins and countries, and nobody whose session was
 * revoked. Counts those who do.
 */
import type { Channel } from "../../live/channel.ts";
import type { Admission, PlaybackGate, PlaybackRefusal, Viewer } from "../../live/playback-gate.ts";
import { arnOf, type Place } from "../ivs/arn.ts";
import { randomId } from "../random-id.ts";
import type { Directory, KnownChannel } from "./directory.ts";
import { type Claims, PlaybackTokens } from "./playback-token.ts";
import { pixels } from "./resolution.ts";
import type { ViewerCount } from "./viewer-count.ts";
import { type ViewerSession, ViewerSessions } from "./viewer-session.ts";

export interface GateOptions {
  readonly directory: Directory;
  readonly place: Place;
  readonly sessionKey: Uint8Array;
  readonly viewers: ViewerCount;
  /** Whether there may be one more viewer beside so many; default: always. */
  readonly admits?: (others: number) => boolean;
  /** ISO 3166-1 alpha-2 of an address, where that is known. */
  readonly country: (address: string) => string | undefined;
  /** Unix ms. */
  readonly now: () => number;
}

export class Gate implements PlaybackGate {
  readonly #options: GateOptions;
  readonly #tokens = new PlaybackTokens();
  readonly #sessions: ViewerSessions;
  readonly counters = { admitted: 0, refused: 0 };

  constructor(options: GateOptions) {
    this.#options = options;
    this.#sessions = new ViewerSessions(options.sessionKey);
  }

  async begin(channel: Channel, viewer: Viewer): Promise<Admission | PlaybackRefusal> {
    const known = this.#options.directory.channel(channel.name);
    if (known === undefined) return { session: undefined };
    const answer = await this.#begin(channel, known, viewer);
    if ("reason" in answer) this.counters.refused++;
    else this.counters.admitted++;
    return answer;
  }

  lists({ name }: Channel): boolean {
    const known = this.#options.directory.channel(name);
    return known === undefined || (known.row.authorized === 0 && known.policy?.enableStrictOriginEnforcement !== true);
  }

  check({ name }: Channel, word: string | undefined, viewer: Viewer, size: number): PlaybackRefusal | undefined {
    const { directory, viewers, now } = this.#options;
    const known = directory.channel(name);
    if (known === undefined) return undefined;
    const session = word === undefined ? undefined : this.#sessions.open(word);
    const refused = needsSession(known) ? (conditions(known, session, viewer) ?? tooLarge(session, size)) : undefined;
    if (refused === undefined) viewers.see(name, session?.i ?? `${viewer.address} ${viewer.agent}`, now());
    else this.counters.refused++;
    return refused;
  }

  async #begin(channel: Channel, known: KnownChannel, viewer: Viewer): Promise<Admission | PlaybackRefusal> {
    const { directory, place, country, now, viewers, admits } = this.#options;
    const { row, policy } = known;
    if (admits !== undefined && !admits(viewers.total(now()))) return { status: 503, reason: "there are as many viewers as are allowed" };
    if (policy !== undefined) {
      const from = policy.allowedCountries.length === 0 ? undefined : (country(viewer.address) ?? "unknown");
      if (from !== undefined && !policy.allowedCountries.includes(from)) return denied("playback is not allowed from here");
      if (policy.allowedOrigins.length > 0 && !allows(policy.allowedOrigins, viewer.origin))
        return denied("playback is not allowed in this page");
    }
    if (!needsSession(known)) return { session: undefined };
    let given: Claims | undefined;
    if (row.authorized === 1) {
      if (viewer.token === undefined) return { status: 401, reason: "the channel is private: a token is needed" };
      const checked = await this.#tokens.check(viewer.token, arnOf(place, "channel", row.id), directory.playbackKeys, now());
      if (typeof checked === "string") return denied(checked);
      given = checked;
    }
    const origins = originsOf(given, known);
    const most = given?.["aws:maximum-resolution"];
    const size = most === undefined ? undefined : pixels[most];
    if (size !== undefined && ![channel, ...channel.renditions.values()].some(({ pixels }) => pixels > 0 && pixels <= size))
      return denied(`no rendition is as small as ${most}`);
    const listed = given?.["aws:access-control-allow-origin"]?.split(",").map((origin) => origin.trim());
    if (listed !== undefined && viewer.origin !== undefined && !allows(listed, viewer.origin))
      return denied("the token is for another page");
    const session: ViewerSession = {
      c: row.id,
      t: now(),
      i: randomId(12),
      ...(given?.["aws:viewer-id"] === undefined ? {} : { v: given["aws:viewer-id"], n: given["aws:viewer-session-version"] ?? 0 }),
      ...(origins === undefined ? {} : { o: origins }),
      ...(size === undefined ? {} : { m: size }),
    };
    return conditions(known, session, viewer) ?? { session: this.#sessions.give(session), ...(size === undefined ? {} : { pixels: size }) };
  }
}

function tooLarge(session: ViewerSession | undefined, size: number): PlaybackRefusal | undefined {
  return session?.m !== undefined && size > session.m ? denied("the token is for smaller pictures") : undefined;
}

/** Also where a viewer is looked at when it comes alone: what it is given then is what others have not. */
function needsSession({ row, policy }: KnownChannel): boolean {
  if (row.authorized === 1) return true;
  return (
    policy !== undefined && (policy.enableStrictOriginEnforcement || policy.allowedOrigins.length + policy.allowedCountries.length > 0)
  );
}

/** Origins that every request is checked for; undefined: none is. */
function originsOf(given: Claims | undefined, { policy }: KnownChannel): readonly string[] | undefined {
  if (given?.["aws:strict-origin-enforcement"] === true)
    return (given["aws:access-control-allow-origin"] ?? "").split(",").map((origin) => origin.trim());
  return policy?.enableStrictOriginEnforcement === true ? policy.allowedOrigins : undefined;
}

function conditions({ row, revoked }: KnownChannel, session: ViewerSession | undefined, viewer: Viewer): PlaybackRefusal | undefined {
  if (session === undefined || session.c !== row.id) return { status: 401, reason: "begin with the channel's playback address" };
  if (session.o !== undefined && !allows(session.o, viewer.origin)) return denied("playback is not allowed in this page");
  if (session.v !== undefined && session.n! <= (revoked.get(session.v) ?? -1)) return denied("the session was revoked");
  return undefined;
}

/** A listed origin may begin with * for anything. */
function allows(listed: readonly string[], origin: string | undefined): boolean {
  if (listed.includes("*")) return true;
  return origin !== undefined && listed.some((entry) => (entry.startsWith("*") ? origin.endsWith(entry.slice(1)) : entry === origin));
}

function denied(reason: string): PlaybackRefusal {
  return { status: 403, reason };
}
