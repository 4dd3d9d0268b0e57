/**
 * What does pacing a packet cost? `node bench/pacer.ts`
 * Prints nanoseconds and heap bytes a packet for enqueue, next and deadline together, over 1 and 64 streams. Each time is the best of many short
 * runs, because whatever else the machine does only ever adds.
 */
import { getHeapStatistics } from "node:v8";
import { NOTHING, Pacer, SEND_PADDING } from "../src/gcc/pacer.ts";
import { AUDIO, RETRANSMISSION, VIDEO } from "../src/gcc/pacer-queue.ts";

const FRAMES = 2000;
const PACKETS = 20;
const RUNS = 40;
const FRAME_TIME = 10_000;

for (const streams of [1, 64]) {
  const pacer = new Pacer({ streamsMax: streams });
  let now = 0;
  let sent = 0;
  pacer.setRates(0, PACKETS * 1200 * 8 * 110, 0);
  const run = (): void => {
    for (let frame = 0; frame < FRAMES; frame++) {
      for (let i = 0; i < PACKETS; i++) {
        const level = i === 0 ? AUDIO : i === 1 ? RETRANSMISSION : VIDEO;
        pacer.enqueue(now, i, i % streams, level, 1200);
      }
      const end = now + FRAME_TIME;
      // Whole microseconds, within 31 bits: a number that the bench boxed would be counted as the pacer's.
      for (let at = now; at < end; at = Math.ceil(Math.min(end, Math.max(pacer.deadline(at), at + 100))) | 0) {
        for (let packet = pacer.next(at); packet !== NOTHING; packet = pacer.next(at)) {
          if (packet === SEND_PADDING) pacer.onPaddingSent(at, 0);
          else sent++;
        }
      }
      now = end;
    }
  };
  for (let i = 0; i < 5; i++) run();
  let best = Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    sent = 0;
    const allocated = getHeapStatistics().total_allocated_bytes;
    const before = process.hrtime.bigint();
    run();
    best = Math.min(best, Number(process.hrtime.bigint() - before) / sent);
    least = Math.min(least, (getHeapStatistics().total_allocated_bytes - allocated) / sent);
  }
  console.log(
    `${String(streams).padStart(3)} streams   ${best.toFixed(0).padStart(5)} ns a packet   ${least.toFixed(2)} heap bytes a packet`,
  );
}
