/**
 * Packets that the process which runs sees, for another one that asked it over its socket:
 *
 *   GET /capture?forward=NAME&onein=N&snaplen=N      records as a pcap file has them, without the file's head; a record without bytes says how many packets were lost until then
 *
 * It ends when the other one goes. What that one is too slow for is lost and counted; nothing waits for it.
 */
import { request as ask } from "node:http";
import { HostError } from "../base/errors.ts";
import type { Capture, CaptureOptions, Datapath, PacketSink } from "../forward/datapath.ts";
import type { Endpoint } from "../host/loop.ts";
import { PcapRecords, pcapRecord } from "../host/pcap.ts";

/** @throws HostError when it cannot be seen */
export async function captureStream(datapath: Datapath, options: CaptureOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  let late = 0;
  let told = 0;
  const capture = await datapath.capture(options, (packet, seconds, length) => {
    if (controller === undefined) return;
    if ((controller.desiredSize ?? 0) <= 0) late++;
    else controller.enqueue(pcapRecord(packet, seconds, length));
  });
  const tell = (): void => {
    told = late + capture.dropped;
    controller?.enqueue(pcapRecord(NOTHING, 0, told));
  };
  // Also when nothing comes: a connection on which nothing moves is closed.
  let ticks = 0;
  const timer = setInterval(() => {
    if (++ticks % SILENT_TICKS === 0 || late + capture.dropped !== told) tell();
  }, TICK_MS);
  return new ReadableStream(
    {
      start: (given) => {
        controller = given;
        tell();
      },
      cancel: async () => {
        controller = undefined;
        clearInterval(timer);
        await capture.stop();
      },
    },
    { highWaterMark: QUEUE_BYTES, size: (record) => record.length },
  );
}

/** What `captureStream` answers at `at`, as a capture of one's own. @throws HostError */
export function followCapture(at: Endpoint, { forward, oneIn, bytesMax }: CaptureOptions, sink: PacketSink): Promise<Capture> {
  const query = `onein=${oneIn}&snaplen=${bytesMax}${forward === undefined ? "" : `&forward=${encodeURIComponent(forward)}`}`;
  const target = "path" in at ? { socketPath: at.path } : { host: at.host, port: at.port };
  return new Promise((settle, fail) => {
    const failed = (error: Error): void =>
      fail(new HostError((error as NodeJS.ErrnoException).code ?? "EIO", "capture", "forward run", error));
    const request = ask({ ...target, path: `/capture?${query}`, agent: false }, (response) => {
      const records = new PcapRecords();
      let dropped = 0;
      if (response.statusCode !== 200) {
        refusal(response).then(failed, failed);
        return;
      }
      response.on("data", (piece: Buffer) =>
        records.push(piece, (packet, seconds, length) => {
          if (packet.length === 0) dropped = length;
          else sink(packet, seconds, length);
        }),
      );
      // The other process has ended.
      response.on("error", () => {});
      settle({
        get dropped() {
          return dropped;
        },
        stop: async () => {
          request.destroy();
        },
      });
    });
    request.on("error", failed);
    request.end();
  });
}

/** The other process says why, see forward-control.ts. */
async function refusal(response: AsyncIterable<Buffer>): Promise<NodeJS.ErrnoException> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  const { code = "EIO", message = "" } = JSON.parse(Buffer.concat(pieces).toString("utf8")) as { code?: string; message?: string };
  return Object.assign(new Error(message), { code });
}

const NOTHING = new Uint8Array(0);
const QUEUE_BYTES = 4 << 20;
const TICK_MS = 250;
const SILENT_TICKS = 40;
