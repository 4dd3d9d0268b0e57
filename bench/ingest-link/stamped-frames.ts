/**
 * Raw grey pictures at 30 a second on standard output, each with the time of day at which it was due in its upper edge: two rows of sixteen squares, Unix ms modulo 2^32, the highest
 * bit first, white = 1. What is below moves, so that there is something to code.
 */
import { BLOCK_HEIGHT, BLOCK_WIDTH, HEIGHT, WIDTH } from "./stamp.ts";

const FRAME_MS = 1000 / 30;
const frame = Buffer.alloc(WIDTH * HEIGHT);
const began = performance.now();
const beganAt = Date.now();
let [made, blocked] = [0, false];

// Nothing is left out: an encoder that is held up falls behind, as ffmpeg does, and the age of what comes late tells.
process.stdout.on("drain", () => {
  blocked = false;
  make();
});
process.stdout.on("error", () => process.exit(0));
setInterval(make, 2);

function make(): void {
  while (!blocked && performance.now() >= began + made * FRAME_MS) {
    blocked = !process.stdout.write(Buffer.from(draw()));
    made++;
  }
}

function draw(): Uint8Array {
  const now = Math.round(beganAt + made * FRAME_MS) % 2 ** 32;
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
