/** RTCP as peers send it, with random content: every packet type this room knows, in compounds and reduced size. */
import type { Prng } from "../../../base/prng.ts";
import type { Ecn } from "../congestion-feedback.ts";
import { CongestionFeedbackWriter } from "../congestion-feedback-writer.ts";
import { putFullIntraRequest } from "../full-intra-request.ts";
import { GenericNackWriter } from "../generic-nack.ts";
import { putGoodbye } from "../goodbye.ts";
import { putPictureLoss } from "../picture-loss.ts";
import { ReceiverReport } from "../receiver-report.ts";
import { putRemb } from "../remb.ts";
import { ReportBlock } from "../report-block.ts";
import { SenderReport } from "../sender-report.ts";
import { CNAME, MID, SourceDescriptionWriter } from "../source-description.ts";
import { TransportFeedbackWriter } from "../transport-feedback-writer.ts";

const sender = new SenderReport();
const receiver = new ReceiverReport();
const blocks = Array.from({ length: 3 }, () => new ReportBlock());
const descriptions = new SourceDescriptionWriter();
const nack = new GenericNackWriter();
const transport = new TransportFeedbackWriter({ bytesMax: 400 });
const congestion = new CongestionFeedbackWriter();
const text = Uint8Array.from("a name", (letter) => letter.charCodeAt(0));

type Put = (prng: Prng, view: DataView, at: number, limit: number) => number;

const puts: readonly Put[] = [
  (prng, view, at, limit) => {
    sender.ssrc = prng.u32();
    sender.ntpSeconds = prng.u32();
    sender.ntpFraction = prng.u32();
    sender.rtpTimestamp = prng.u32();
    sender.packetCount = prng.u32();
    sender.octetCount = prng.u32();
    return sender.write(view, at, limit, blocks, fillBlocks(prng));
  },
  (prng, view, at, limit) => {
    receiver.ssrc = prng.u32();
    return receiver.write(view, at, limit, blocks, fillBlocks(prng));
  },
  (prng, view, at, limit) => {
    descriptions.begin(view, at, limit);
    for (let n = prng.below(4); n > 0; n--) {
      descriptions.chunk(prng.u32());
      if (prng.chance(0.9)) descriptions.item(CNAME, text.subarray(0, prng.below(7)));
      if (prng.chance(0.3)) descriptions.item(MID, text.subarray(0, 1));
    }
    return descriptions.finish();
  },
  (prng, view, at, limit) => putGoodbye(view, at, limit, [prng.u32(), prng.u32()], text.subarray(0, prng.below(7))),
  (prng, view, at, limit) => {
    nack.begin(view, at, limit, prng.u32(), prng.u32());
    let sequence = prng.u32();
    for (let n = 1 + prng.below(10); n > 0; n--) {
      nack.add(sequence & 0xffff);
      sequence += 1 + prng.below(12);
    }
    return nack.finish();
  },
  (prng, view, at, limit) => putPictureLoss(view, at, limit, prng.u32(), prng.u32()),
  (prng, view, at, limit) => putFullIntraRequest(view, at, limit, prng.u32(), prng.u32(), prng.below(256)),
  (prng, view, at, limit) => putRemb(view, at, limit, prng.u32(), prng.below(1e8), [prng.u32(), prng.u32()], prng.below(3)),
  putTransportFeedback,
  putTransportFeedback,
  putCongestionFeedback,
];

/** Fills 0…3 blocks; answers how many. */
function fillBlocks(prng: Prng): number {
  const count = prng.below(4);
  for (let i = 0; i < count; i++) {
    const block = blocks[i]!;
    block.ssrc = prng.u32();
    block.fractionLost = prng.below(256);
    block.cumulativeLost = prng.below(2 ** 24) - 2 ** 23;
    block.extendedHighestSequence = prng.u32();
    block.jitter = prng.u32();
    block.lastSenderReport = prng.u32();
    block.delaySinceLastSenderReport = prng.u32();
  }
  return count;
}

function putTransportFeedback(prng: Prng, view: DataView, at: number, limit: number): number {
  let sequence = prng.below(65_536);
  let now = prng.u32() * 64;
  transport.begin(sequence, now);
  for (let n = 1 + prng.below(40); n > 0; n--) {
    sequence += prng.chance(0.1) ? prng.below(30) : 0;
    if (!transport.add(sequence++, now)) break;
    now += prng.chance(0.05) ? prng.below(1e6) : prng.below(20_000) - 1000;
  }
  return transport.write(view, at, limit, prng.u32(), prng.u32(), prng.below(256));
}

function putCongestionFeedback(prng: Prng, view: DataView, at: number, limit: number): number {
  congestion.begin(view, at, limit, prng.u32());
  for (let streams = prng.below(4); streams > 0; streams--) {
    congestion.stream(prng.u32(), prng.below(65_536));
    for (let n = prng.below(12); n > 0; n--)
      if (prng.chance(0.8)) congestion.received(prng.below(4) as Ecn, prng.below(8192));
      else congestion.lost();
  }
  return congestion.finish(prng.u32());
}

/** Writes one datagram of 1…4 packets, at most 2000 bytes, to the beginning of `view`; answers its length. */
export function putTraffic(prng: Prng, view: DataView): number {
  let at = 0;
  for (let n = 1 + prng.below(4); n > 0; n--) at += puts[prng.below(puts.length)]!(prng, view, at, 2000);
  return at;
}
