/**
 * What a composition may add to the status (`extra`) and the page then shows: which channels to play, under which titles, and the figures of the links
 * that carry them.
 */
export interface Extra {
  readonly players?: readonly PlayerPlan[];
  readonly links?: readonly LinkFigures[];
  /** Where and with which key one may publish one's own stream. */
  readonly publish?: { readonly port?: number; readonly key?: string /** What an encoder is told for RTMPS. */; readonly rtmps?: string };
}

export interface PlayerPlan {
  readonly channel: string;
  readonly title: string;
  /** One short sentence under the title. */
  readonly note?: string;
}

/** One column of the table; rows are joined by their labels. */
export interface LinkFigures {
  readonly name: string;
  readonly figures: readonly LinkFigure[];
}

export interface LinkFigure {
  readonly label: string;
  readonly value: number | string;
  /** How to write the number: milliseconds, bits per second, a share 0…1, a count, bytes. */
  readonly unit?: "ms" | "bit/s" | "share" | "count" | "B";
}
