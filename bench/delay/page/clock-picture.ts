/**
 * A time in a picture, readable after any codec: 24 bits of milliseconds as black and white blocks in a row, and the same inverted below, so that what was
 * cut, scaled or smeared is noticed.
 */
const BITS = 24;
const BLOCK = 24;
const ROWS = [40, 80] as const;

export const WIDTH = 640;
export const HEIGHT = 360;

export function paintTime(context: CanvasRenderingContext2D, ms: number): void {
  const value = Math.floor(ms) % 2 ** BITS;
  for (let bit = 0; bit < BITS; bit++) {
    const set = ((value >> bit) & 1) === 1;
    for (const [row, y] of ROWS.entries()) {
      context.fillStyle = set === (row === 0) ? "#fff" : "#000";
      context.fillRect(bit * BLOCK + 32, y, BLOCK, BLOCK);
    }
  }
}

/** How long before `ms` the picture was painted; undefined where it cannot be read. */
export function ageOf(context: CanvasRenderingContext2D, ms: number): number | undefined {
  let value = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const [upper, lower] = ROWS.map((y) => context.getImageData(bit * BLOCK + 32 + BLOCK / 2, y + BLOCK / 2, 1, 1).data[1]! > 127);
    if (upper === lower) return undefined;
    if (upper === true) value |= 1 << bit;
  }
  return ((Math.floor(ms) % 2 ** BITS) - value + 2 ** BITS) % 2 ** BITS;
}
