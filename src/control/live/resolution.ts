/** Sizes of pictures as IVS names them, in pixels: of a token's and a policy's limits, whichever way the picture stands. */
export const pixels = { SD: 854 * 480, HD: 1280 * 720, FULL_HD: 1920 * 1080 } as const;

export type Resolution = keyof typeof pixels;
