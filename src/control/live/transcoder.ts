/**
 * One ffmpeg that makes all renditions of a stream:
 *
 *   units ─▶ Muxer, a fragment each ─▶ stdin ─▶ ffmpeg ─▶ pipe 3, 4, … ─▶ FLV ─▶ tracks, units on the stream's own clock
 *
 * Time stamps go through as they are and key frames are forced where the encoder's are, so that segments of all renditions begin at the same picture. What ffmpeg does
 * not take in time is dropped up to the next key frame, and counted: a machine that is too slow must not hold more and more. At the end its input is closed, and what its
 * decoder, encoders and muxers still hold comes out before it ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { deferred } from "../../base/deferred.ts";
import type { Bytes, Millis } from "../../base/units.ts";
import { Muxer } from "../../media/cmaf/fragment.ts";
import { FlvStreamReader } from "../../media/flv/stream-reader.ts";
import { FlvToUnit } from "../../media/flv/to-unit.ts";
import { audioTrack, type Track, type Unit } from "../../media/unit.ts";
import type { Rung } from "./ladder.ts";

/** Waiting in stdin. */
const WAITING_BYTES_MAX: Bytes = 4 * 2 ** 20;
const FRAME_UNKNOWN = 33_333;
const STDERR_MAX = 2000;

export interface TranscoderSink {
  tracks(rung: Rung, tracks: readonly Track[]): void;
  unit(rung: Rung, unit: Unit): void;
  /** It ended by itself: with the last it said, undefined where there is no ffmpeg. */
  ended(reason: string | undefined): void;
}

export class Transcoder {
  readonly #child: ChildProcess;
  readonly #muxer: Muxer;
  readonly #sink: TranscoderSink;
  readonly #date: (dts: number) => number;
  #stderr = "";
  #skipping = false;
  #stopped = false;
  #finishing = false;
  /** Nothing comes any more; false: it was stopped. */
  readonly #over = deferred<boolean>();
  #last = 0;
  readonly counters = { unitsIn: 0, dropped: 0 };

  /** `date`: Unix ms that belong to a decode time, so that renditions say the same as the encoder's own. */
  constructor(tracks: readonly Track[], rungs: readonly Rung[], sink: TranscoderSink, date: (dts: number) => number, command = "ffmpeg") {
    this.#sink = sink;
    this.#date = date;
    this.#muxer = new Muxer(tracks);
    const pipes = rungs.map(() => "pipe" as const);
    this.#child = spawn(command, transcodeArguments(tracks, rungs), {
      stdio: ["pipe", "ignore", "pipe", ...pipes],
      // A terminal's Ctrl-C is for us: it would end before it has read what waits in its input.
      detached: true,
    });
    this.#child.on("error", (error: NodeJS.ErrnoException) => this.#end(error.code === "ENOENT" ? undefined : error.message));
    this.#child.on("close", () => this.#end(this.#stderr.trim().split("\n").at(-1) ?? ""));
    this.#child.stdin!.on("error", () => {});
    this.#child.stderr!.on("data", (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-STDERR_MAX);
    });
    for (const [i, rung] of rungs.entries()) this.#read(rung, this.#child.stdio[3 + i] as Readable);
    this.#child.stdin!.write(this.#muxer.init);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  push(unit: Unit): void {
    const { stdin } = this.#child;
    if (this.#stopped || this.#finishing || stdin === null || stdin.destroyed) return;
    if (stdin.writableLength > WAITING_BYTES_MAX) this.#skipping = true;
    else if (unit.kind === "video" && unit.keyframe) this.#skipping = false;
    if (this.#skipping) {
      this.counters.dropped++;
      return;
    }
    this.counters.unitsIn++;
    const video = unit.kind === "video";
    if (video) this.#last = unit.dts;
    stdin.write(this.#muxer.fragment(video ? [unit] : [], video ? [] : [unit], this.#last + FRAME_UNKNOWN));
  }

  /**
   * The stream ended: the sink gets what is still being made, and is not told of the end. Settles with true when that was all, and with false when it took longer than
   * `limit` or was stopped.
   */
  finish(limit: Millis): Promise<boolean> {
    this.#finishing = true;
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.stop(), limit);
    return this.#over.promise.finally(() => clearTimeout(timer));
  }

  /** Ends it; what it still makes is not wanted. */
  stop(): void {
    this.#stopped = true;
    this.#child.kill("SIGKILL");
    this.#over.resolve(false);
  }

  #end(reason: string | undefined): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#over.resolve(true);
    if (!this.#finishing) this.#sink.ended(reason);
  }

  #read(rung: Rung, output: Readable): void {
    const converter = new FlvToUnit();
    const known: Track[] = [];
    let shift: number | undefined;
    const reader = new FlvStreamReader((type, timestamp, payload) => {
      converter.receive(type, timestamp, payload, 0);
      for (let event = converter.event(); event !== undefined; event = converter.event()) {
        if (event.kind === "track") {
          const at = known.findIndex(({ kind }) => kind === event.track.kind);
          if (at >= 0) known[at] = event.track;
          else known.push(event.track);
          known.sort((a, b) => b.kind.localeCompare(a.kind));
          this.#sink.tracks(rung, [...known]);
        } else if (event.kind === "unit") {
          // The converter lets streams begin near zero; ours goes on where the encoder's is.
          shift ??= timestamp * 1000 - event.unit.dts;
          const { unit } = event;
          const dts = unit.dts + shift;
          this.#sink.unit(rung, { ...unit, dts, pts: unit.pts + shift, arrival: this.#date(dts) });
        }
      }
    });
    output.on("data", (bytes: Buffer) => {
      if (!this.#stopped) reader.receive(bytes);
    });
    output.on("error", () => {});
  }
}

export function transcodeArguments(tracks: readonly Track[], rungs: readonly Rung[]): string[] {
  const audio = audioTrack(tracks);
  // No "nobuffer": it throws away what is read to learn about the streams, and with it the first key frame.
  const input = [
    "-hide_banner",
    "-loglevel",
    "error",
    "-probesize",
    "65536",
    "-analyzeduration",
    "0",
    "-copyts",
    "-f",
    "mp4",
    "-i",
    "pipe:0",
  ];
  const names = rungs.map((_, i) => `[s${i}]`).join("");
  const scaled = rungs.map(({ height }, i) => `[s${i}]scale=-2:${height}[v${i}]`);
  const filter = ["-filter_complex", [`[0:v]split=${rungs.length}${names}`, ...scaled].join(";")];
  const outputs = rungs.flatMap(({ videoRate, audioRate }, i) => {
    const rate = ["-b:v", String(videoRate), "-maxrate", String(videoRate), "-bufsize", String(videoRate)];
    const coded = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", ...rate];
    // Key frames where the encoder's are, and nowhere else.
    const cut = ["-force_key_frames", "source", "-g", "100000", "-sc_threshold", "0", "-fps_mode", "passthrough"];
    const copied = audioRate === 0 && audio?.codec.startsWith("mp4a") === true;
    const sound =
      audio === undefined ? [] : ["-map", "0:a", ...(copied ? ["-c:a", "copy"] : ["-c:a", "aac", "-b:a", String(audioRate || 96_000)])];
    const to = [
      "-max_interleave_delta",
      "100000",
      "-flush_packets",
      "1",
      "-flvflags",
      "no_duration_filesize",
      "-f",
      "flv",
      `pipe:${3 + i}`,
    ];
    return ["-map", `[v${i}]`, ...coded, ...cut, ...sound, ...to];
  });
  return [...input, ...filter, ...outputs];
}
