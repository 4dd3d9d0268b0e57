/** Reading RTP, and reading and writing feedback, allocates nothing a packet once warmed up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { inOwnProcess } from "../../../test/own-process.ts";
import { readAbsSendTime } from "./abs-send-time.ts";
import { HeaderExtensions, HeaderExtensionWriter, ONE_BYTE } from "./header-extension.ts";
import { ReceptionStatistics } from "./reception-statistics.ts";
import { RtcpCompound } from "./rtcp-compound.ts";
import { RtpPacket } from "./rtp-packet.ts";
import { TransportFeedback } from "./transport-feedback.ts";
import { TransportFeedbackWriter } from "./transport-feedback-writer.ts";

/**
 * A view costs 100 bytes or more, the smallest object 32. A floating-point time is boxed (16 bytes) where a call was not inlined, which depends on
 * what else this process has run through the same functions.
 */
const BYTES_PER_PACKET_MAX = 32;
const PACKETS = 20_000;

/** The least of many rounds of about a millisecond: the compiler works beside them, and on a busy machine is done late. */
function bytesPerPacket(run: () => void): number {
  for (let warm = 0; warm < 10; warm++) run();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 200 && least >= BYTES_PER_PACKET_MAX / 4; round++) {
    const before = getHeapStatistics().total_allocated_bytes;
    run();
    least = Math.min(least, (getHeapStatistics().total_allocated_bytes - before) / PACKETS);
  }
  return least;
}

const bytes = new Uint8Array(2048);
const view = new DataView(bytes.buffer);

inOwnProcess(import.meta.url, () => {
  test("an RTP packet: header, two extensions, reception statistics", () => {
    const packet = new RtpPacket();
    Object.assign(packet, { payloadType: 96, sequenceNumber: 1, timestamp: 0xf0000000, ssrc: 0xdeadbeef });
    packet.write(view, 0);
    const writer = new HeaderExtensionWriter();
    writer.begin(view, 0, 2048, ONE_BYTE);
    writer.add(3, 3);
    writer.add(5, 2);
    const end = writer.finish() + 1000;
    const extensions = new HeaderExtensions();
    const statistics = new ReceptionStatistics({ clockRate: 90_000 });
    let sequence = 0;
    let sum = 0;
    const least = bytesPerPacket(() => {
      for (let i = 0; i < PACKETS; i++, sequence++) {
        view.setUint16(2, sequence);
        if (!packet.read(view, 0, end)) continue;
        if (extensions.find(bytes, packet, 3)) sum += readAbsSendTime(view, extensions.start);
        if (extensions.find(bytes, packet, 5)) sum += view.getUint16(extensions.start);
        statistics.receive(sequence * 1.25, packet.sequenceNumber, packet.timestamp);
      }
    });
    assert.equal(sum, 0);
    assert.ok(statistics.stats.received > PACKETS);
    assert.ok(least < BYTES_PER_PACKET_MAX, `${least} bytes a packet`);
  });

  test("transport feedback, a report of 100 packets: written, walked, read", () => {
    const writer = new TransportFeedbackWriter();
    const rtcp = new RtcpCompound();
    const feedback = new TransportFeedback();
    let sequence = 0;
    let received = 0;
    const least = bytesPerPacket(() => {
      for (let report = 0; report < PACKETS / 100; report++) {
        writer.begin(sequence, sequence * 1000);
        for (let i = 0; i < 100; i++, sequence++) if (i % 10 !== 3) writer.add(sequence, sequence * 1000 + (i % 7) * 300);
        const length = writer.write(view, 0, 2048, 1, 2, report);
        rtcp.open(bytes, view, 0, length);
        if (rtcp.next() && feedback.read(rtcp)) while (feedback.next(rtcp)) if (feedback.received) received++;
      }
    });
    assert.equal(received, sequence * 0.9);
    assert.ok(least < BYTES_PER_PACKET_MAX, `${least} bytes a packet`);
  });
});
