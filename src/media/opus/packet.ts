/**
 * How long a packet of Opus sounds, by its first byte.
 *
 *   TOC   | configuration:5 stereo:1 frames:2 |        frames: 1, 2 of a length, 2 of their own, as many as the low six bits of the next byte say
 *
 * Source: RFC 6716 section 3.1 and 3.2.
 */

/** Samples at 48 kHz, 120…5760; 0: it is damaged. */
export function samplesOf(packet: Uint8Array): number {
  const [toc, count = 0] = packet;
  if (toc === undefined) return 0;
  const frames = [1, 2, 2, count & 0x3f][toc & 3]!;
  const samples = frames * frameSamples(toc >> 3);
  return samples <= SAMPLES_MAX ? samples : 0;
}

/** SILK, then hybrid, then CELT. */
function frameSamples(configuration: number): number {
  if (configuration < 12) return [480, 960, 1920, 2880][configuration & 3]!;
  if (configuration < 16) return [480, 960][configuration & 1]!;
  return [120, 240, 480, 960][configuration & 3]!;
}

/** 120 ms. */
const SAMPLES_MAX = 5760;
