/** Bytes of heap and buffers that one `run` takes: the least of five rounds; Infinity when a collection fell into every one. */
export function leastHeapGrowth(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.memoryUsage();
    run();
    const after = process.memoryUsage();
    // A collection in between would make it negative: such a round says nothing.
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    if (grown >= 0) least = Math.min(least, grown);
  }
  return least;
}
