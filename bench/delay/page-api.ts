/** What the pages of the delay bench can do, for the program that drives them. */

export interface DelayApi {
  /** Plays an LL-HLS channel with Shaka and samples how far its playhead is behind the arrival of what it shows. */
  playByShaka(url: string): Promise<void>;
  /** Publishes a picture with a clock in it by WHIP. */
  publishClock(url: string, key: string): Promise<void>;
  /** Plays by WHEP and samples how old the clock in each picture is that it shows. */
  watchClock(url: string): Promise<void>;
  seen(): Seen;
}

export interface Seen {
  /** ms, one a sample. */
  readonly delays: readonly number[];
  readonly droppedFrames: number;
  readonly frames: number;
  /** Looks at the playhead at which it stood still. */
  readonly still: number;
}
