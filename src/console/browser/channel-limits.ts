/** What a channel may be set to, and what its type lets in (as control/live/ingest-limits.ts holds encoders to it). */
export const types: readonly (readonly [type: string, limits: string])[] = [
  ["STANDARD", "up to 1080p and 8.5 Mbit/s; renditions below it"],
  ["BASIC", "up to 480p and 1.5 Mbit/s, or 1080p and 3.5 Mbit/s; as it comes"],
  ["ADVANCED_SD", "up to 1080p and 8.5 Mbit/s; renditions of at most 480p, and sound alone"],
  ["ADVANCED_HD", "up to 1080p and 8.5 Mbit/s; renditions of at most 720p, and sound alone"],
];
export const latencyModes: readonly (readonly [mode: string, text: string])[] = [
  ["LOW", "about a second"],
  ["NORMAL", "players buffer whole segments"],
];
/** Policies of multitrackInputConfiguration; "OFF": it is not enabled. Of type STANDARD alone. */
export const multitrackPolicies: readonly (readonly [policy: string, text: string])[] = [
  ["OFF", "the encoder sends one picture"],
  ["ALLOW", "it may send several sizes, which are the renditions"],
  ["REQUIRE", "it has to"],
];

export function limitsOf(type: string): string {
  return types.find(([name]) => name === type)?.[1] ?? "";
}
