/** WebRTC's estimate over a trace: lines of "sequence sent bytes [arrived]" (µs) on standard input, "seconds bit/s" after every 20 packets. */
import { createInterface } from "node:readline";
import { LOST, NetworkController, NOT_A_PROBE, TransportFeedback } from "longhaul/gcc";

const controller = new NetworkController({ startBitrate: 1_000_000, packetFeedbackOnly: true });
const feedback = new TransportFeedback(20);
for await (const line of createInterface({ input: process.stdin })) {
  const [sequence = 0, sendTime = 0, size = 0, receiveTime = LOST] = line.split(" ").map(Number);
  const packet = { sequence, sendTime, size, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
  controller.advance(sendTime);
  controller.onSentPacket(packet, 0);
  feedback.push(packet, receiveTime);
  if (feedback.length < 20) continue;
  feedback.feedbackTime = Math.max(sendTime, feedback.receiveTime[19]!);
  feedback.sort();
  controller.onFeedback(feedback);
  feedback.clear(sendTime);
  console.log((sendTime / 1e6).toFixed(1), Math.round(controller.targetRate));
}
