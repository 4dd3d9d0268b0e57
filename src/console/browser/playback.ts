/**
 * Plays one channel and measures it. The channel may be off the air, come back, or change its encoder: the player is taken down only when it gave up,
 * and is set up again as soon as the status says that there is something to play.
 */
import Hls, { type HlsConfig } from "hls.js";
import { markBuffered } from "./buffered-parts.ts";
import type { Figures } from "./figures.ts";
import { LoadWatch } from "./load-watch.ts";
import { Pace } from "./pace.ts";
import type { ServerClock } from "./server-clock.ts";
import { StallMeter } from "./stall-meter.ts";

export class Playback {
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #clock: ServerClock;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stalls = new StallMeter();
  readonly #pace = new Pace();
  readonly #loadWatch = new LoadWatch();
  #hls: Hls | undefined;
  #live = false;
  #recoveredAt = Number.NEGATIVE_INFINITY;
  /** NaN: no seek is under way. */
  #seekingSince = Number.NaN;
  restarts = -1;

  /** `headers`: sent with every request. */
  constructor(video: HTMLVideoElement, url: string, clock: ServerClock, headers: Readonly<Record<string, string>> = {}) {
    this.#video = video;
    this.#url = url;
    this.#clock = clock;
    this.#headers = headers;
  }

  /** What the status says of the channel, every time it is read. */
  set live(live: boolean) {
    if (this.#live && !live) {
      this.#stalls.suspend();
      this.#pace.restart();
    }
    this.#live = live;
    if (live && this.#hls === undefined) this.#attach();
  }

  get state(): Figures["state"] {
    if (!this.#live) return "offline";
    if (this.#stalls.stalled) return "stalled";
    return this.#stalls.moving ? "live" : "loading";
  }

  get latencyMs(): number | undefined {
    const date = this.#hls?.playingDate;
    return date === undefined || date === null || !this.#stalls.begun ? undefined : this.#clock.now() - date.getTime();
  }

  get stalls(): StallMeter {
    return this.#stalls;
  }

  get marginMs(): number {
    return this.#pace.marginMs;
  }

  get bufferMs(): number {
    const range = this.#range();
    return range < 0 ? 0 : (this.#video.buffered.end(range) - this.#video.currentTime) * 1000;
  }

  /** Which of the buffer's ranges is played; −1: none. */
  #range(): number {
    const { buffered, currentTime } = this.#video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime + 0.1 && currentTime < buffered.end(i)) return i;
    }
    return -1;
  }

  /** How often loading had to be prompted. */
  get prompts(): number {
    return this.#loadWatch.prompts;
  }

  get droppedFrames(): number {
    return this.#video.getVideoPlaybackQuality().droppedVideoFrames;
  }

  /** Called a few times a second. */
  sample(): void {
    const video = this.#video;
    const now = performance.now();
    if (!video.seeking) this.#seekingSince = Number.NaN;
    else if (Number.isNaN(this.#seekingSince)) this.#seekingSince = now;
    // A seek to where nothing is loaded never ends by itself: from then on it is a picture that stands still.
    const seeking = now - this.#seekingSince < SEEK_MAX;
    this.#stalls.observe(now, video.currentTime, this.#live && !document.hidden && !seeking);
    if (this.#hls !== undefined && this.#stalls.moving) {
      video.playbackRate = this.#pace.rate(now, video.currentTime * 1000, this.bufferMs, this.#stalls.hitches);
    }
    this.#keepLoading();
    const edge = this.#hls?.liveSyncPosition;
    // After a long stall the way back to the live edge is a jump, not minutes of fast forward.
    const behindMax = this.#stalls.stalled ? BEHIND_STALLED_MAX_SECONDS : BEHIND_MAX_SECONDS;
    if (typeof edge === "number" && edge - video.currentTime > behindMax && !seeking) {
      video.currentTime = edge;
      this.#seekingSince = now;
    }
    if (video.paused && this.#hls !== undefined && !document.hidden) void video.play().catch(() => undefined);
  }

  #keepLoading(): void {
    const hls = this.#hls;
    const details = hls?.latestLevelDetails;
    if (hls === undefined || details == null || !this.#stalls.begun || !this.#live) return;
    if (!this.#loadWatch.observe(performance.now(), details.partEnd, this.#video.currentTime + this.bufferMs / 1000)) return;
    // A seek to where it is makes it look again. To stop and start it would cost a hole in the buffer and a second without a playlist.
    hls.resumeBuffering();
    this.#video.currentTime += 0;
  }

  /** No more is loaded. */
  close(): void {
    this.#live = false;
    this.#hls?.destroy();
    this.#hls = undefined;
  }

  #attach(): void {
    this.restarts++;
    if (!Hls.isSupported()) {
      // Safari on a telephone plays LL-HLS by itself.
      this.#video.src = this.#url;
      return;
    }
    const hls = new Hls({
      ...config,
      xhrSetup: (request) => {
        for (const [name, value] of Object.entries(this.#headers)) request.setRequestHeader(name, value);
      },
    });
    this.#hls = hls;
    hls.on(Hls.Events.LEVEL_UPDATED, (_event, { details }) => {
      const range = this.#range();
      if (range >= 0 && details.partList !== null) {
        markBuffered(details.partList, this.#video.buffered.start(range), this.#video.buffered.end(range));
      }
    });
    hls.on(Hls.Events.FRAG_LOADING, () => {
      this.#loadWatch.loading = true;
    });
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      this.#loadWatch.loading = false;
      const range = this.#range();
      if (range >= 0) this.#pace.extended(performance.now(), this.#video.buffered.end(range) * 1000);
    });
    hls.on(Hls.Events.ERROR, (_event, data) => {
      this.#loadWatch.loading = false;
      if (data.fatal) this.#recover(data.type === Hls.ErrorTypes.MEDIA_ERROR);
    });
    hls.loadSource(this.#url);
    hls.attachMedia(this.#video);
  }

  /** A decoder that stumbled is set up anew in place, but not twice in a row; anything else takes the player down until the channel is live. */
  #recover(media: boolean): void {
    const now = performance.now();
    if (media && now - this.#recoveredAt > RECOVER_EVERY) {
      this.#recoveredAt = now;
      this.#hls?.recoverMediaError();
      return;
    }
    this.#hls?.destroy();
    this.#hls = undefined;
  }
}

/** A blocked reload is answered within three target durations. */
const patient = { maxTimeToFirstByteMs: 30_000, maxLoadTimeMs: 40_000 };
const retry = { maxNumRetry: 4, retryDelayMs: 250, maxRetryDelayMs: 2000 };

const config: Partial<HlsConfig> = {
  lowLatencyMode: true,
  // The media is passed to the browser as it is: a worker would only add a hop.
  enableWorker: false,
  // The rate is ours (pace.ts): hls.js lets a second of buffer stand, which is more than the whole latency need be.
  maxLiveSyncPlaybackRate: 1,
  liveSyncOnStallIncrease: 0.2,
  backBufferLength: 20,
  maxBufferLength: 10,
  playlistLoadPolicy: { default: { ...patient, timeoutRetry: retry, errorRetry: retry } },
  manifestLoadPolicy: { default: { ...patient, timeoutRetry: retry, errorRetry: retry } },
  fragLoadPolicy: { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 20_000, timeoutRetry: retry, errorRetry: retry } },
};

/** Longer than a browser takes where it has the picture, and its neighbours. */
const SEEK_MAX = 1000;
const BEHIND_MAX_SECONDS = 4;
const BEHIND_STALLED_MAX_SECONDS = 0.4;
const RECOVER_EVERY = 5000;
