/**
 * What an encoder says behind its stream key: which of two that have the same key is to have the channel.
 *
 *   rtmps://host/app/KEY?priority=2          srt://host:9000?streamid=KEY?priority=2, or streamid=#!::r=KEY,priority=2
 *
 * Who comes with a higher priority takes the channel over at once; with the same, a lower one or none it waits until the other has fallen silent.
 *
 * Source: IVS's stream takeover, reference/aws-live.md 3.
 *
 * Deviations: none is less than 1, so that a channel that began without can be taken over; a picture of another size or codec takes over as well,
 * where IVS refuses it: viewers get a discontinuity.
 */

export interface Claim {
  readonly key: string;
  /** 1…2^31−1; 0: none was given; −1: what was given is none. */
  readonly priority: number;
}

export const PRIORITY_MAX = 2 ** 31 - 1;

/** Parameters of other names mean nothing here; encoders add some. */
export function parseClaim(text: string): Claim {
  const [key = "", query = ""] = text.split(/\?(.*)/s);
  const given = new URLSearchParams(query).get("priority");
  if (given === null) return { key, priority: 0 };
  const priority = /^\d{1,10}$/.test(given) ? Number(given) : -1;
  return { key, priority: priority >= 1 && priority <= PRIORITY_MAX ? priority : -1 };
}
