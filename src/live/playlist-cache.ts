/**
 * The media playlist as it is sent: written and compressed once for each state of the window, however many viewers ask for it. What it reports of other renditions is
 * as new as that state.
 */
import { mediaPlaylist } from "../media/hls/media-playlist.ts";
import type { AssociatedRendition } from "../media/hls/rendition-report.ts";
import type { Window } from "../media/hls/window.ts";

export interface Encoded {
  readonly text: string;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

export class PlaylistCache {
  readonly #window: Window;
  readonly #compress: (text: string) => Uint8Array<ArrayBuffer>;
  readonly #others: () => readonly AssociatedRendition[];
  #version = -1;
  #full: Encoded | undefined;
  #delta: Encoded | undefined;

  constructor(window: Window, compress: (text: string) => Uint8Array<ArrayBuffer>, others: () => readonly AssociatedRendition[]) {
    this.#window = window;
    this.#compress = compress;
    this.#others = others;
  }

  /** The playlist, or with `skip` its delta update. Empty text while there is nothing to play. */
  playlist(skip: boolean): Encoded {
    if (this.#version !== this.#window.version) {
      this.#version = this.#window.version;
      this.#full = undefined;
      this.#delta = undefined;
    }
    if (skip) {
      this.#delta ??= this.#encode(true);
      return this.#delta;
    }
    this.#full ??= this.#encode(false);
    return this.#full;
  }

  #encode(skip: boolean): Encoded {
    const text = mediaPlaylist(this.#window, skip, this.#others());
    return { text, gzip: this.#compress(text) };
  }
}
