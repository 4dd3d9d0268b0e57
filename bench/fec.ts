/**
 * What does forward error correction cost? `node bench/fec.ts`
 * Prints megabytes of data a second and nanoseconds a packet of 1350 bytes, for encoding, and for decoding with no, one and three losses
 * a group. Each figure is the best of many short runs, because whatever else the machine does only ever adds.
 */
import { FecDecoder } from "../src/fec/decoder.ts";
import { FecEncoder } from "../src/fec/encoder.ts";
import { takeRegion } from "../src/kernel/kernels.ts";

const PACKET_BYTES = 1350;
const RUNS = 60;
const GROUPS = 50;

for (const [dataShards, parityShards] of [
  [10, 3],
  [20, 2],
  [70, 30],
] as const) {
  const stride = 2048;
  const group = dataShards + parityShards;
  const { bytes, view, at } = takeRegion(group * stride);
  const body = PACKET_BYTES - FecEncoder.headBytes;
  for (let i = 0; i < group * stride; i++) bytes[at + i] = (i * 2654435761) >>> 13;
  const encoder = new FecEncoder({ dataShards, parityShards, profile: "2021", packetBytesMax: 1500 });
  const encodeGroup = (): void => {
    let ready = 0;
    for (let k = 0; k < dataShards; k++) ready = encoder.encode(0, bytes, view, at + k * stride + 8, at + k * stride + 8 + body);
    for (let i = 0; i < ready; i++) encoder.parity(i, bytes, view, at + (dataShards + i) * stride);
  };
  report(`${dataShards}+${parityShards} encode`, dataShards, () => {
    for (let g = 0; g < GROUPS; g++) encodeGroup();
  });
  for (const losses of [0, 1, 3]) {
    if (losses > parityShards) continue;
    const decoder = new FecDecoder({ packetBytesMax: 1500, dataShards, parityShards });
    const out = takeRegion(2048);
    let number = 0;
    report(`${dataShards}+${parityShards} decode, ${losses} lost`, dataShards, () => {
      for (let g = 0; g < GROUPS; g++, number += group) {
        for (let k = 0; k < group; k++) {
          if (k < losses) continue;
          const start = at + k * stride;
          view.setUint32(start, number + k, true);
          decoder.receive(0, bytes, view, start, start + PACKET_BYTES);
          while (decoder.recovered(out.bytes, out.view, out.at) > 0);
        }
      }
    });
    if (decoder.stats.recovered !== (number / group) * losses) throw new Error("not everything was repaired");
  }
}

function report(what: string, dataShards: number, run: () => void): void {
  const times: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    const before = process.hrtime.bigint();
    run();
    times.push(Number(process.hrtime.bigint() - before) / (GROUPS * dataShards));
  }
  const ns = Math.min(...times);
  console.log(
    `${what.padEnd(24)} ${String(Math.round((PACKET_BYTES / ns) * 1000)).padStart(5)} MB/s   ${String(Math.round(ns)).padStart(5)} ns a data packet`,
  );
}
