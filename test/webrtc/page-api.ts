/** What the tests' page in Chromium does and measures (page/main.ts). */

export interface Sample {
  /** Milliseconds since the connection came up. */
  readonly at: number;
  readonly availableKbps: number;
  /** Payload sent, or received, since the connection came up. */
  readonly bytes: number;
  readonly roundTripMs: number;
  readonly frames: number;
  /** Of the picture that is shown, 0 for a publisher. */
  readonly width: number;
}

/** Functions of the page, as the tests call them. */
export interface PageApi {
  publish(options: PublishOptions): Promise<string>;
  play(url: string): Promise<string>;
  samples(): readonly Sample[];
  close(): void;
}

export interface PublishOptions {
  readonly url: string;
  /** "VP8", "H264". */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly maxKbps: number;
  /** The picture goes in three encodings: whole, half and a quarter as wide. */
  readonly simulcast?: boolean;
  /** A tone goes with the picture. */
  readonly audio?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}
