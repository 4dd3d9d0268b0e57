/**
 * Lines of text both ways over one HTTP/2 stream: what two programs of ours say to each other for a long time.
 *
 *   bytes ─► LineSplitter ─► a line at a time, none longer than allowed            Lines ─► write, and how much waits
 */

import type { Http2Stream } from "node:http2";
import { StringDecoder } from "node:string_decoder";
import type { Bytes } from "../base/units.ts";

export interface LineHandler {
  line(text: string): void;
  /** Called once: it ended, broke, or the peer sent too long a line. */
  closed(reason: string): void;
}

export class LineStream {
  readonly #stream: Http2Stream;
  #open = true;

  /** Takes the stream over. */
  constructor(stream: Http2Stream, lineMax: Bytes, handler: LineHandler) {
    this.#stream = stream;
    const decoder = new StringDecoder("utf8");
    let pieces: string[] = [];
    let length = 0;
    const close = (reason: string): void => {
      if (!this.#open) return;
      this.#open = false;
      pieces = [];
      if (!stream.destroyed) stream.close();
      handler.closed(reason);
    };
    stream.on("data", (bytes: Buffer) => {
      let text = decoder.write(bytes);
      for (let end = text.indexOf("\n"); end >= 0 && this.#open; end = text.indexOf("\n")) {
        pieces.push(text.slice(0, end));
        const line = pieces.length === 1 ? pieces[0]! : pieces.join("");
        pieces = [];
        length = 0;
        text = text.slice(end + 1);
        if (line !== "") handler.line(line);
      }
      length += text.length;
      if (length > lineMax) close("too long a line");
      else if (text !== "" && this.#open) pieces.push(text);
    });
    stream.on("error", (error: NodeJS.ErrnoException) => close(error.code ?? error.message));
    stream.on("end", () => close("ended"));
    stream.on("close", () => close("closed"));
    stream.on("aborted", () => close("aborted"));
  }

  get open(): boolean {
    return this.#open;
  }

  /** Bytes that were written and have not left yet. */
  get waiting(): Bytes {
    return this.#stream.writableLength;
  }

  /** `text` ends in a line feed. */
  write(text: string): void {
    if (this.#open) this.#stream.write(text);
  }

  /** Calls once what waits has left. */
  drained(then: () => void): void {
    this.#stream.once("drain", then);
  }

  close(): void {
    this.#stream.close();
  }
}
