/**
 * Viewers of the live bench, all in this process: each keeps a connection, asks for the playlist with the next part in it and then for that part, as a
 * low-latency player does.
 *
 *   node bench/live/viewers.ts http://host:port/live/CHANNEL COUNT SECONDS
 *
 * Prints how much came and how often something else than 200 was answered, as JSON.
 */
import { connect, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";

const [base, count, seconds] = process.argv.slice(2);
if (base === undefined) throw new Error("viewers.ts URL COUNT SECONDS");
const { hostname, port, pathname } = new URL(base);
const figures = { playlists: 0, parts: 0, bytes: 0, wrong: 0, lost: 0, worstMs: 0 };
/** What follows a playlist that was asked for by these numbers: the same for all viewers, so it is read once. */
const known = new Map<string, readonly string[]>();

class Viewer {
  readonly #socket: Socket;
  #header = "";
  #body: Buffer[] = [];
  #left = -1;
  #wanted: string[] = [];
  #query = "";
  #asked = 0;

  constructor() {
    this.#socket = connect(Number(port), hostname);
    this.#socket.setNoDelay(true);
    this.#socket.on("connect", () => this.#ask());
    this.#socket.on("data", (data: Buffer) => this.#receive(data));
    this.#socket.on("error", () => figures.lost++);
  }

  #ask(): void {
    const name = this.#wanted[0] ?? `media.m3u8${this.#query}`;
    this.#asked = performance.now();
    this.#socket.write(`GET ${pathname}/${name} HTTP/1.1\r\nHost: ${hostname}\r\nAccept-Encoding: gzip\r\n\r\n`);
  }

  #receive(given: Buffer): void {
    let data = given;
    if (this.#left < 0) {
      this.#header += data.toString("latin1");
      const end = this.#header.indexOf("\r\n\r\n");
      if (end < 0) return;
      const before = this.#header.length - data.length;
      const head = this.#header.slice(0, end);
      if (!head.startsWith("HTTP/1.1 200")) figures.wrong++;
      this.#left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (Number.isNaN(this.#left)) throw new Error(`no Content-Length: ${head}`);
      data = data.subarray(end + 4 - before);
      this.#header = "";
    }
    this.#left -= data.length;
    figures.bytes += data.length;
    if (this.#wanted.length === 0) this.#body.push(data);
    if (this.#left > 0) return;
    this.#left = -1;
    this.#next();
  }

  #next(): void {
    if (this.#wanted.length > 0) {
      this.#wanted.shift();
      figures.parts++;
      figures.worstMs = Math.max(figures.worstMs, performance.now() - this.#asked);
    } else {
      figures.playlists++;
      const [query, ...parts] = follow(this.#query, this.#body);
      this.#body = [];
      this.#query = query!;
      this.#wanted = parts;
    }
    this.#ask();
  }
}

/** The query for the next playlist, and the parts this one added. */
function follow(asked: string, body: readonly Buffer[]): readonly string[] {
  const found = known.get(asked);
  if (asked !== "" && found !== undefined) return found;
  const bytes = Buffer.concat(body);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();
  const [, msn, part] = /PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/.exec(text) ?? [];
  if (msn === undefined) return [""];
  const parts = [...text.matchAll(/#EXT-X-PART:.*URI="([^"]+)"/g)].map(([, name]) => name!);
  const answer = [`?_HLS_msn=${msn}&_HLS_part=${part}`, parts.at(-1)!];
  if (asked !== "") known.set(asked, answer);
  if (known.size > 100) known.delete(known.keys().next().value!);
  return answer;
}

for (let n = 0; n < Number(count); n++) {
  new Viewer();
  await new Promise((done) => setTimeout(done, 5));
}
console.log("all began");
Object.assign(figures, { playlists: 0, parts: 0, bytes: 0, wrong: 0, lost: 0, worstMs: 0 });
const began = performance.now();
await new Promise((done) => setTimeout(done, Number(seconds) * 1000));
const elapsed = (performance.now() - began) / 1000;
console.log(
  JSON.stringify({
    ...figures,
    requestsPerSecond: (figures.playlists + figures.parts) / elapsed,
    mbits: (figures.bytes * 8) / 1e6 / elapsed,
  }),
);
process.exit(0);
