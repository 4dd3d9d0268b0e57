/**
 * Who may play a channel: asked once when a viewer comes, and again for everything it fetches. Whoever was let in gets a session, a word that stands in the
 * address of all that follows, so that playlists and media are the same bytes for everybody.
 */
import type { Channel } from "./channel.ts";

export interface Viewer {
  /** What it showed: `token` in the address, or a bearer token. */
  readonly token: string | undefined;
  /** The page it runs in (header Origin), where it says so. */
  readonly origin: string | undefined;
  /** Where it comes from, as the socket says, or the proxy that is trusted. */
  readonly address: string;
  readonly agent: string;
}

export interface PlaybackRefusal {
  readonly status: 401 | 403 | 503;
  readonly reason: string;
}

export interface Admission {
  /** Letters, digits, - _ and dots; undefined: none is needed. */
  readonly session: string | undefined;
  /** Larger pictures are not for this viewer. */
  readonly pixels?: number;
}

export interface PlaybackGate {
  begin(channel: Channel, viewer: Viewer): Promise<Admission | PlaybackRefusal> | Admission | PlaybackRefusal;
  /** Whether anybody may learn that there is this channel. */
  lists(channel: Channel): boolean;
  /** Undefined: go on. `pixels`: of the rendition that is asked for. */
  check(channel: Channel, session: string | undefined, viewer: Viewer, pixels: number): PlaybackRefusal | undefined;
}

export const openGate: PlaybackGate = { begin: () => ({ session: undefined }), lists: () => true, check: () => undefined };
