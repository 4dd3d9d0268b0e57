/**
 * What do RTP headers and congestion feedback cost? `node bench/rtcp.ts`
 * Prints nanoseconds a media packet: reading a header with two extensions, writing one, reception statistics, and both kinds of feedback in
 * reports of 100 packets with every tenth lost. Each figure is the best of many short runs, because whatever else the machine does only
 * ever adds.
 */
import { readAbsSendTime, writeAbsSendTime } from "../src/media/rtp/abs-send-time.ts";
import { CongestionFeedback, ECT_1 } from "../src/media/rtp/congestion-feedback.ts";
import { CongestionFeedbackWriter } from "../src/media/rtp/congestion-feedback-writer.ts";
import { HeaderExtensions, HeaderExtensionWriter, ONE_BYTE } from "../src/media/rtp/header-extension.ts";
import { ReceptionStatistics } from "../src/media/rtp/reception-statistics.ts";
import { RtcpCompound } from "../src/media/rtp/rtcp-compound.ts";
import { RtpPacket } from "../src/media/rtp/rtp-packet.ts";
import { TransportFeedback } from "../src/media/rtp/transport-feedback.ts";
import { TransportFeedbackWriter } from "../src/media/rtp/transport-feedback-writer.ts";

const RUNS = 200;
const PACKETS = 20_000;
const REPORT_PACKETS = 100;

const bytes = new Uint8Array(2048);
const view = new DataView(bytes.buffer);
const packet = new RtpPacket();
const extensions = new HeaderExtensions();
const extensionWriter = new HeaderExtensionWriter();
const statistics = new ReceptionStatistics({ clockRate: 90_000 });
const rtcp = new RtcpCompound();
const transportWriter = new TransportFeedbackWriter();
const transport = new TransportFeedback();
const congestionWriter = new CongestionFeedbackWriter();
const congestion = new CongestionFeedback();
let end = 0;
let sequence = 0;
let sum = 0;

const media = new RtpPacket();
media.payloadType = 96;
media.ssrc = 0xdeadbeef;

report("RTP written, 2 extensions", () => {
  for (let i = 0; i < PACKETS; i++) {
    media.sequenceNumber = i & 0xffff;
    media.timestamp = i * 90;
    media.write(view, 0);
    extensionWriter.begin(view, 0, 2048, ONE_BYTE);
    writeAbsSendTime(view, extensionWriter.add(3, 3), i);
    view.setUint16(extensionWriter.add(5, 2), i);
    end = extensionWriter.finish() + 1000;
  }
});

report("RTP read, 2 extensions", () => {
  for (let i = 0; i < PACKETS; i++) {
    view.setUint16(2, i);
    if (!packet.read(view, 0, end)) throw new Error("damaged");
    extensions.open(packet);
    while (extensions.next(bytes)) sum += extensions.id === 3 ? readAbsSendTime(view, extensions.start) : view.getUint16(extensions.start);
  }
});

report("reception statistics", () => {
  for (let i = 0; i < PACKETS; i++, sequence++) statistics.receive(sequence, sequence & 0xffff, (sequence * 90) >>> 0);
});

report("transport feedback written", () => {
  for (let i = 0; i < PACKETS; i += REPORT_PACKETS) end = putTransportFeedback();
});

report("transport feedback read", () => {
  for (let i = 0; i < PACKETS; i += REPORT_PACKETS) {
    rtcp.open(bytes, view, 0, end);
    if (!rtcp.next() || !transport.read(rtcp)) throw new Error("damaged");
    while (transport.next(rtcp)) if (transport.received) sum += transport.arrival;
  }
});

report("congestion feedback written", () => {
  for (let i = 0; i < PACKETS; i += REPORT_PACKETS) {
    congestionWriter.begin(view, 0, 2048, 1);
    congestionWriter.stream(2, i);
    for (let k = 0; k < REPORT_PACKETS; k++)
      if (k % 10 === 3 ? !congestionWriter.lost() : !congestionWriter.received(ECT_1, k)) throw new Error("full");
    end = congestionWriter.finish(i);
  }
});

report("congestion feedback read", () => {
  for (let i = 0; i < PACKETS; i += REPORT_PACKETS) {
    rtcp.open(bytes, view, 0, end);
    if (!rtcp.next() || !congestion.read(rtcp)) throw new Error("damaged");
    while (congestion.next(rtcp)) if (congestion.received) sum += congestion.arrivalOffset;
  }
});

if (sum === 0) throw new Error("nothing was read");

function putTransportFeedback(): number {
  transportWriter.begin(sequence, sequence * 1000);
  for (let k = 0; k < REPORT_PACKETS; k++, sequence++) {
    if (k % 10 !== 3 && !transportWriter.add(sequence, sequence * 1000 + (k % 7) * 300)) throw new Error("full");
  }
  return transportWriter.write(view, 0, 2048, 1, 2, 0);
}

function report(what: string, run: () => void): void {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < RUNS; n++) {
    const before = process.hrtime.bigint();
    run();
    least = Math.min(least, Number(process.hrtime.bigint() - before) / PACKETS);
  }
  console.log(`${what.padEnd(30)} ${least.toFixed(1).padStart(6)} ns a packet`);
}
