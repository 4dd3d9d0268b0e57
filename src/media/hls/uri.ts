/**
 * Names of what a playlist refers to, relative to the playlist, and back.
 *
 *   init-<n>.mp4 · <msn>.m4s · <msn>.<part>.m4s
 */

export type Resource =
  | { readonly kind: "init"; readonly id: number }
  | { readonly kind: "segment"; readonly msn: number }
  | { readonly kind: "part"; readonly msn: number; readonly part: number };

export function initUri(id: number): string {
  return `init-${id}.mp4`;
}

export function segmentUri(msn: number): string {
  return `${msn}.m4s`;
}

export function partUri(msn: number, part: number): string {
  return `${msn}.${part}.m4s`;
}

/** What the name stands for; undefined for any other text, other spellings of numbers included. */
export function parseUri(name: string): Resource | undefined {
  const init = /^init-(0|[1-9]\d{0,8})\.mp4$/.exec(name);
  if (init !== null) return { kind: "init", id: Number(init[1]) };
  const media = /^(0|[1-9]\d{0,14})(?:\.(0|[1-9]\d{0,8}))?\.m4s$/.exec(name);
  if (media === null) return undefined;
  const msn = Number(media[1]);
  return media[2] === undefined ? { kind: "segment", msn } : { kind: "part", msn, part: Number(media[2]) };
}
