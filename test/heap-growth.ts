const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Bytes of heap and buffers that a packet takes, of as many as `run` answers: the least of five rounds; Infinity when a collection fell into every one. While that
 * is more than `enough`, up to fifty rounds, with pauses: on a machine that is kept busy the compiler's thread comes to its work late, and what is not compiled boxes its numbers.
 */
export function leastHeapGrowth(run: () => number, enough: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5 || (round < 50 && least > enough); round++) {
    if (round >= 5) Atomics.wait(pause, 0, 0, 20);
    const before = process.memoryUsage();
    const packets = run();
    const after = process.memoryUsage();
    // A collection in between would make it negative: such a round says nothing.
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    if (grown >= 0) least = Math.min(least, grown / packets);
  }
  return least;
}
