/** What one player measured: on `window.longhaul.players`, for tests and for whoever is curious. */
export interface Figures {
  readonly channel: string;
  readonly state: "offline" | "loading" | "live" | "stalled";
  readonly playing: boolean;
  /** Server's clock now minus EXT-X-PROGRAM-DATE-TIME of the playhead, ms; undefined before the first frame. */
  readonly latencyMs: number | undefined;
  /** Over the last minute. */
  readonly medianLatencyMs: number | undefined;
  readonly stalls: number;
  readonly stalledMs: number;
  /** Moments at which the picture stood still for 0.15 s or longer, stalls among them. */
  readonly hitches: number;
  /** How much longer than usual media may be in coming without the picture's standing still. */
  readonly marginMs: number;
  readonly bufferMs: number;
  readonly currentTime: number;
  readonly droppedFrames: number;
  /** Times the player had to be set up anew. */
  readonly restarts: number;
  /** How often hls.js had to be prompted to load on. */
  readonly prompts: number;
}
