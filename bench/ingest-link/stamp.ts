/** Where the time of day stands in a stamped picture (stamped-frames.ts), and how a browser reads it. */
import type { Page } from "playwright-core";

export const WIDTH = 640;
export const HEIGHT = 360;
export const BLOCK_WIDTH = 40;
export const BLOCK_HEIGHT = 24;

/** How old the picture is that the page's first video shows, ms; undefined: none is. Both clocks are this machine's. */
export function pictureAge(page: Page): Promise<number | undefined> {
  return page.evaluate(
    ([width, blockWidth, blockHeight]) => {
      const { document: page } = globalThis as unknown as { document: Dom };
      const video = page.querySelector("video");
      if (video === null || video.readyState < 2) return undefined;
      const canvas = page.createElement("canvas");
      canvas.width = width!;
      canvas.height = 2 * blockHeight!;
      const context = canvas.getContext("2d");
      context.drawImage(video, 0, 0, video.videoWidth, 2 * blockHeight!, 0, 0, width!, 2 * blockHeight!);
      let stamp = 0;
      for (let bit = 0; bit < 32; bit++) {
        const [x, y] = [((bit % 16) + 0.5) * blockWidth!, (Math.floor(bit / 16) + 0.5) * blockHeight!];
        stamp = stamp * 2 + (context.getImageData(x, y, 1, 1).data[0]! > 127 ? 1 : 0);
      }
      const age = (Date.now() % 2 ** 32) - stamp;
      return age > 0 && age < 120_000 ? age : undefined;
    },
    [WIDTH, BLOCK_WIDTH, BLOCK_HEIGHT],
  );
}

/** As much of a browser's document as is used here. */
interface Dom {
  querySelector(name: "video"): { readonly readyState: number; readonly videoWidth: number } | null;
  createElement(name: "canvas"): { width: number; height: number; getContext(kind: "2d"): Canvas };
}
interface Canvas {
  drawImage(from: object, ...places: readonly number[]): void;
  getImageData(x: number, y: number, width: number, height: number): { readonly data: ArrayLike<number> };
}
