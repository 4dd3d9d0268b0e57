/**
 * Raw grey pictures at 30 a second on standard output, each with the time of day it was made at in its upper edge: two rows of sixteen squares, Unix ms modulo 2^32, the highest
 * bit first, white = 1. What is below moves, so that there is something to code.
 */
import { BLOCK_HEIGHT, BLOCK_WIDTH, HEIGHT, WIDTH } from "./stamp.ts";

const FRAME_MS = 1000 / 30;
const frame = Buffer.alloc(WIDTH * HEIGHT);
const began = performance.now();
let [made, blocked] = [0, false];

process.stdout.on("drain", () => {
  blocked = false;
});
process.stdout.on("error", () => process.exit(0));
setInterval(() => {
  while (performance.now() >= began + made * FRAME_MS) {
    made++;
    // An encoder that does not keep up loses pictures, as one with a camera does.
    if (!blocked) blocked = !process.stdout.write(Buffer.from(draw()));
  }
}, 2);

function draw(): Uint8Array {
  const now = Date.now() % 2 ** 32;
  for (let y = 2 * BLOCK_HEIGHT; y < HEIGHT; y += 2) {
    for (let x = 0; x < WIDTH; x += 8) frame.fill(((x * 7) ^ (y * 3 + made * 5)) & 0xff, y * WIDTH + x, y * WIDTH + x + 8);
    frame.copyWithin((y + 1) * WIDTH, y * WIDTH, (y + 1) * WIDTH);
  }
  for (let bit = 0; bit < 32; bit++) {
    const value = Math.floor(now / 2 ** (31 - bit)) % 2 === 1 ? 235 : 16;
    const [left, top] = [(bit % 16) * BLOCK_WIDTH, Math.floor(bit / 16) * BLOCK_HEIGHT];
    for (let y = top; y < top + BLOCK_HEIGHT; y++) frame.fill(value, y * WIDTH + left, y * WIDTH + left + BLOCK_WIDTH);
  }
  return frame;
}
