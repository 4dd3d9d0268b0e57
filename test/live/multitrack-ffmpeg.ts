/**
 * FFmpeg 8 publishes files of one picture each as multitrack video by RTMP, at their own pace: a process of its own, since it is FFmpeg's libraries, in node-av of FOLDER, that do it.
 *
 *   node test/live/multitrack-ffmpeg.ts FOLDER URL FILE FILE …        the first file's sound
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sleep } from "../interop/children.ts";

interface Stream {
  readonly index: number;
  readonly timeBase: { readonly num: number; readonly den: number };
}
interface Packet {
  readonly dts: bigint;
}
interface Demuxer {
  video(): Stream;
  audio(): Stream;
  packets(index: number): AsyncIterable<Packet>;
}
interface Muxer {
  addStream(stream: Stream): number;
  writePacket(packet: Packet, index: number): Promise<void>;
  close(): Promise<void>;
}
interface NodeAv {
  readonly Demuxer: { open(file: string): Promise<Demuxer> };
  readonly Muxer: { open(url: string, options: { format: string }): Promise<Muxer> };
}

const [folder, url, ...files] = process.argv.slice(2);
const entry = createRequire(join(folder!, "package.json")).resolve("node-av/api");
const { Demuxer, Muxer } = (await import(pathToFileURL(entry).href)) as NodeAv;
const muxer = await Muxer.open(url!, { format: "flv" });
const sources = [
  ...(await Promise.all(files.map(async (file) => [await Demuxer.open(file), "video"] as const))),
  [await Demuxer.open(files[0]!), "audio"] as const,
];
// In their order: the muxer numbers them.
const streams = sources.map(([demuxer, kind]) => ({ demuxer, stream: demuxer[kind](), index: muxer.addStream(demuxer[kind]()) }));
const lanes = await Promise.all(
  streams.map(async ({ demuxer, stream, index }) => {
    const packets = demuxer.packets(stream.index)[Symbol.asyncIterator]();
    const next: Packet | undefined = (await packets.next()).value;
    return { stream, index, packets, next };
  }),
);
const began = performance.now();
for (;;) {
  const due = ({ next, stream: { timeBase } }: (typeof lanes)[number]): number => (Number(next!.dts) * 1000 * timeBase.num) / timeBase.den;
  const [lane] = lanes.filter(({ next }) => next !== undefined).sort((a, b) => due(a) - due(b));
  if (lane === undefined) break;
  await sleep(Math.max(0, began + due(lane) - performance.now()));
  await muxer.writePacket(lane.next!, lane.index);
  lane.next = (await lane.packets.next()).value;
}
await muxer.close();
