/** Transport feedback as it was sent, read and written anew by our own code: bytes that differ were made by something else. */
import { RtcpCompound } from "../../src/media/rtp/rtcp-compound.ts";
import { RTPFB } from "../../src/media/rtp/rtcp-header.ts";
import { FMT_TRANSPORT_FEEDBACK, TransportFeedback } from "../../src/media/rtp/transport-feedback.ts";
import { TransportFeedbackWriter } from "../../src/media/rtp/transport-feedback-writer.ts";

/** Messages found in the datagrams, and how many of them come out of our writer to the last byte. */
export function reencoded(datagrams: readonly Uint8Array[]): { readonly feedback: number; readonly identical: number } {
  const rtcp = new RtcpCompound();
  const feedback = new TransportFeedback();
  const writer = new TransportFeedbackWriter();
  const again = new DataView(new ArrayBuffer(2000));
  let [found, identical] = [0, 0];
  for (const bytes of datagrams) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    rtcp.open(bytes, view, 0, bytes.length);
    while (rtcp.next()) {
      if (rtcp.packetType !== RTPFB || rtcp.count !== FMT_TRANSPORT_FEEDBACK || !feedback.read(rtcp)) continue;
      found++;
      const base = feedback.sequence + 1;
      let begun = false;
      while (feedback.next(rtcp)) {
        if (!feedback.received) continue;
        if (!begun) writer.begin(base, feedback.arrival);
        begun = true;
        writer.add(feedback.sequence, feedback.arrival);
      }
      const length = writer.write(again, 0, again.byteLength, feedback.senderSsrc, feedback.mediaSsrc, feedback.feedbackCount);
      const start = rtcp.start;
      const same =
        start + length <= bytes.length && Buffer.compare(Buffer.from(again.buffer, 0, length), bytes.subarray(start, start + length)) === 0;
      if (same) identical++;
    }
  }
  return { feedback: found, identical };
}
