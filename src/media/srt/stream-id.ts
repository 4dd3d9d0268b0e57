/**
 * What an encoder says about itself when it calls: the stream key alone, or SRT's access control syntax.
 *
 *   KEY
 *   #!::r=KEY,m=publish         r: the resource, m: what is wanted (request, the default of the syntax, publish, bidirectional)
 *
 *   #!::r=KEY,priority=2        as KEY?priority=2: which of two encoders with the same key is to be seen (live/priority.ts)
 *
 * Source: SRT's access control guidelines (docs/features/access-control.md of Haivision's srt).
 *
 * Deviation: where no m is given publishing is meant, since nothing else is offered here.
 */

export interface StreamId {
  readonly key: string;
  readonly publishes: boolean;
}

export function parseStreamId(text: string): StreamId {
  if (!text.startsWith("#!::")) return { key: text, publishes: true };
  let key = "";
  let publishes = true;
  let priority = "";
  for (const pair of text.slice(4).split(",")) {
    const equals = pair.indexOf("=");
    const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    if (name === "r") key = value;
    else if (name === "m") publishes = value === "publish";
    else if (name === "priority") priority = `?priority=${value}`;
  }
  return { key: `${key}${priority}`, publishes };
}
