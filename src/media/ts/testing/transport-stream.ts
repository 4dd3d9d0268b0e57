/** Writes MPEG-2 transport streams for tests, as ffmpeg lays them out: tables first and again before key frames, video packets of open length, ADTS. */
import { parameterSets } from "../../h264/decoder-configuration.ts";
import type { Track, Unit } from "../../unit.ts";
import { PACKET_BYTES } from "../packet.ts";
import { crc32 } from "../section.ts";

export const VIDEO_PID = 0x100;
export const AUDIO_PID = 0x101;
const MAP_PID = 0x1000;

export interface WriterOptions {
  readonly videoType?: number;
  readonly audioType?: number;
  /** Added to all times, ticks of 90 kHz. */
  readonly start?: number;
  /** Parameter sets before key frames; those in the track's record by default. */
  readonly sets?: readonly Uint8Array[];
}

export class TransportStreamWriter {
  readonly #options: WriterOptions;
  readonly #tracks: readonly Track[];
  readonly #continuity = new Map<number, number>();
  readonly #packets: Uint8Array[] = [];

  constructor(tracks: readonly Track[], options: WriterOptions = {}) {
    this.#tracks = tracks;
    this.#options = options;
  }

  tables(): void {
    const { videoType = 0x1b, audioType = 0x0f } = this.#options;
    this.#section(0, Uint8Array.of(0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (MAP_PID >> 8), MAP_PID & 0xff), 0);
    const streams = this.#tracks.map(({ kind }) =>
      kind === "video" ? [videoType, 0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff] : [audioType, 0xe0 | (AUDIO_PID >> 8), AUDIO_PID & 0xff],
    );
    const entries = streams.flatMap((stream) => [...stream, 0xf0, 0]);
    this.#section(MAP_PID, Uint8Array.of(0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0, ...entries), 2);
  }

  unit({ kind, dts, pts, keyframe, data }: Unit): void {
    const { start = 0, sets } = this.#options;
    const ticks = (micros: number): number => (Math.round((micros * 9) / 100) + start) % 2 ** 33;
    if (kind === "video") {
      if (keyframe) this.tables();
      const known = sets ?? parameterSets(this.#tracks.find((track) => track.kind === "video")!.configuration);
      const delimiter = this.#options.videoType === 0x24 ? Uint8Array.of(0x46, 1, 0x50) : Uint8Array.of(9, 0xf0);
      const nals = [delimiter, ...(keyframe ? known : []), ...lengthPrefixed(data)];
      this.pes(VIDEO_PID, 0xe0, ticks(pts), ticks(dts), join(nals.flatMap((nal) => [START_CODE, nal])), keyframe);
    } else this.pes(AUDIO_PID, 0xc0, ticks(pts), ticks(pts), adts(this.#tracks, data), true);
  }

  pes(pid: number, id: number, pts: number, dts: number, payload: Uint8Array, randomAccess: boolean): void {
    const times = pts === dts ? time(2, pts) : [...time(3, pts), ...time(1, dts)];
    const length = id === 0xe0 ? 0 : 3 + times.length + payload.length;
    const flags = pts === dts ? 0x80 : 0xc0;
    const head = Uint8Array.of(0, 0, 1, id, length >> 8, length & 0xff, 0x80, flags, times.length, ...times);
    const bytes = join([head, payload]);
    for (let at = 0; at < bytes.length; ) at += this.#packet(pid, bytes, at, at === 0, at === 0 && randomAccess);
  }

  /** All packets so far. */
  get packets(): readonly Uint8Array[] {
    return this.#packets;
  }

  finish(): Uint8Array {
    return join(this.#packets);
  }

  #section(pid: number, body: Uint8Array, table: number): void {
    const length = body.length + 4;
    const section = join([Uint8Array.of(table, 0xb0 | (length >> 8), length & 0xff), body]);
    const crc = crc32(section);
    const bytes = join([Uint8Array.of(0), section, Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc)]);
    const filled = new Uint8Array(PACKET_BYTES - 4).fill(0xff);
    filled.set(bytes);
    this.#packet(pid, filled, 0, true, false);
  }

  #packet(pid: number, bytes: Uint8Array, at: number, unitStart: boolean, randomAccess: boolean): number {
    const packet = new Uint8Array(PACKET_BYTES).fill(0xff);
    const cc = ((this.#continuity.get(pid) ?? -1) + 1) & 15;
    this.#continuity.set(pid, cc);
    const left = bytes.length - at;
    const adaptation = randomAccess ? Math.max(2, 184 - left) : Math.max(0, 184 - left);
    packet.set([0x47, (unitStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, (adaptation > 0 ? 0x30 : 0x10) | cc]);
    if (adaptation > 0) packet[4] = adaptation - 1;
    if (adaptation > 1) packet[5] = randomAccess ? 0x40 : 0;
    const n = 184 - adaptation;
    packet.set(bytes.subarray(at, at + n), 4 + adaptation);
    this.#packets.push(packet);
    return n;
  }
}

const START_CODE = Uint8Array.of(0, 0, 0, 1);

function time(mark: number, ticks: number): number[] {
  const [high, middle, low] = [Math.floor(ticks / 2 ** 30) & 7, Math.floor(ticks / 2 ** 15) & 0x7fff, ticks & 0x7fff];
  return [(mark << 4) | (high << 1) | 1, middle >> 7, ((middle << 1) & 0xff) | 1, low >> 7, ((low << 1) & 0xff) | 1];
}

function lengthPrefixed(data: Uint8Array): Uint8Array[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const nals: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += 4 + view.getUint32(at)) nals.push(data.subarray(at + 4, at + 4 + view.getUint32(at)));
  return nals;
}

function adts(tracks: readonly Track[], frame: Uint8Array): Uint8Array {
  const [first, second] = tracks.find(({ kind }) => kind === "audio")!.configuration;
  const [type, frequency, channels] = [first! >> 3, ((first! & 7) << 1) | (second! >> 7), (second! >> 3) & 15];
  const length = frame.length + 7;
  return join([
    Uint8Array.of(
      ...[0xff, 0xf1, ((type - 1) << 6) | (frequency << 2) | (channels >> 2), ((channels & 3) << 6) | (length >> 11)],
      ...[length >> 3, ((length & 7) << 5) | 0x1f, 0xfc],
    ),
    frame,
  ]);
}

export function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
