/** arn:aws:ivs:REGION:ACCOUNT:KIND/ID, the names of IVS's resources. */
export type Kind =
  | "channel"
  | "stream-key"
  | "playback-key"
  | "recording-configuration"
  | "playback-restriction-policy"
  | "ad-configuration";

export interface Place {
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
}

export function arnOf({ region, account }: Place, kind: Kind, id: string): string {
  return `arn:aws:ivs:${region}:${account}:${kind}/${id}`;
}

/** The id behind an ARN of this place; undefined: it is of another place or kind. */
export function idOf(place: Place, kind: Kind, arn: string): string | undefined {
  const prefix = arnOf(place, kind, "");
  return arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined;
}
