/**
 * Notices that hls.js asks for no further part although the playlist has some, as 1.7.4 has been seen to do behind a burst until the next seek. The buffer
 * is still playing then: hls.js is prompted before the viewer sees anything of it.
 */
export class LoadWatch {
  #since = Number.NaN;
  #end = Number.NaN;
  #loading = false;
  #looks = 0;
  /** How often hls.js had to be prompted. */
  prompts = 0;

  /** hls.js began to load something (true), or has buffered it or given it up (false). */
  set loading(loading: boolean) {
    this.#loading = loading;
    this.#since = Number.NaN;
  }

  /** True when hls.js must be made to look again. `now` in ms; the playlist's end and the buffer's in seconds of the media's timeline. */
  observe(now: number, edge: number, bufferEnd: number): boolean {
    const idle = edge - bufferEnd > AHEAD_SECONDS && bufferEnd === this.#end;
    this.#end = bufferEnd;
    if (!idle || Number.isNaN(this.#since)) {
      this.#since = now;
      this.#looks = 0;
    }
    if (++this.#looks < LOOKS || now - this.#since < (this.#loading ? LOADING_MS : IDLE_MS)) return false;
    this.#since = now;
    this.prompts++;
    return true;
  }
}

/** More than a part: one that was just announced is not overdue. */
const AHEAD_SECONDS = 0.3;
/** hls.js looks for something to load ten times a second. */
const IDLE_MS = 300;
/** A page that was starved of processor time has looked less often, and so has hls.js. */
const LOOKS = 4;
/** Longer than a part takes on any network that carries the stream: what is on its way is not thrown away lightly. */
const LOADING_MS = 4000;
