/** What a media playlist lists of complete segments. */

export interface Listed {
  /** Unix ms. */
  readonly date: number;
  /** Seconds. */
  readonly duration: number;
  readonly independent: boolean;
}

/** By the address of each. */
export function listed(playlist: string): ReadonlyMap<string, Listed> {
  const found = new Map<string, Listed>();
  for (const [, date, between, duration, name] of playlist.matchAll(
    /#EXT-X-PROGRAM-DATE-TIME:(.*)\n((?:#EXT-X-PART.*\n)*)#EXTINF:([\d.]+),\n(.*)\n/g,
  ))
    found.set(name!, {
      date: Date.parse(date!),
      duration: Number(duration),
      independent: !/PART.*(?<!YES)\n/.test(between!.split("\n")[0]!),
    });
  return found;
}

/** How many segments both have, and how far the worst two are apart in date or duration, in ms. */
export function apart(
  one: ReadonlyMap<string, Listed>,
  other: ReadonlyMap<string, Listed>,
): { readonly segments: number; readonly ms: number } {
  const both = [...other].filter(([uri]) => one.has(uri));
  const distances = both.map(([uri, { date, duration }]) =>
    Math.max(Math.abs(date - one.get(uri)!.date), Math.abs(duration - one.get(uri)!.duration) * 1000),
  );
  return { segments: both.length, ms: Math.max(0, ...distances) };
}
