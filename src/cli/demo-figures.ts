/** The demo's links in numbers, as the page's table shows them. */
import type { EmulatedLink } from "../emulator/link.ts";
import type { TcpStream } from "../emulator/tcp-stream.ts";
import type { LinkFigure, LinkFigures } from "../live/link-figures.ts";
import type { SessionReport } from "../tunnel/report.ts";

/** Counters whose differences are rates. */
export interface LinkSample {
  readonly sentBytes: number;
  readonly sent: number;
  readonly lost: number;
}

export function sampleOf({ counters }: EmulatedLink): LinkSample {
  const { receivedBytes, received, droppedLoss, droppedQueue, droppedPoliced } = counters;
  return { sentBytes: receivedBytes, sent: received, lost: droppedLoss + droppedQueue + droppedPoliced };
}

export function tunnelFigures(
  link: string,
  sample: LinkSample,
  bitsPerSecond: number,
  near: SessionReport | undefined,
  recovered: number,
): LinkFigures {
  return {
    name: "Longhaul tunnel",
    figures: [
      ...common(link, sample, bitsPerSecond),
      { label: "Round trip", value: near?.rttMs ?? 0, unit: "ms" },
      { label: "Sent again", value: near?.resentSegments ?? 0, unit: "count" },
      { label: "Rebuilt by FEC", value: recovered, unit: "count" },
      { label: "Waiting to be sent", value: near?.waitingSegments ?? 0, unit: "count" },
    ],
  };
}

export function tcpFigures(
  link: string,
  sample: LinkSample,
  bitsPerSecond: number,
  up: TcpStream | undefined,
  droppedTags: number,
): LinkFigures {
  const sender = up?.sender;
  return {
    name: "Plain TCP (CUBIC, modelled)",
    figures: [
      ...common(link, sample, bitsPerSecond),
      { label: "Round trip", value: Math.round(sender?.srtt ?? 0), unit: "ms" },
      { label: "Sent again", value: sender?.resentSegments ?? 0, unit: "count" },
      { label: "Rebuilt by FEC", value: "–" },
      { label: "Waiting to be sent", value: Math.ceil((sender?.queue.length ?? 0) / 1448), unit: "count" },
      { label: "Frames given up by the encoder", value: droppedTags, unit: "count" },
    ],
  };
}

function common(link: string, sample: LinkSample, bitsPerSecond: number): LinkFigure[] {
  return [
    { label: "Link, each way", value: link },
    { label: "On the wire", value: Math.round(bitsPerSecond), unit: "bit/s" },
    { label: "Lost", value: sample.sent === 0 ? 0 : sample.lost / sample.sent, unit: "share" },
  ];
}
