/** Carries bytes between two ends of an RTMP connection in tests, in pieces as small as wanted, until neither has anything to say. */

export interface End {
  receive(now: number, bytes: Uint8Array, start: number, end: number): void;
  transmit(into: Uint8Array, offset: number, limit: number): number;
}

/** `piece` answers how many bytes travel next; `between` runs after each delivery, to answer events. */
export function pump(client: End, server: End, piece: () => number, between: () => void = () => {}): void {
  const bytes = new Uint8Array(65_536);
  for (let moved = true; moved; ) {
    moved = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const n = from.transmit(bytes, 0, Math.min(piece(), bytes.length));
      if (n === 0) continue;
      moved = true;
      to.receive(0, bytes, 0, n);
      // What was borrowed may change as soon as the call returns.
      bytes.fill(0xee, 0, n);
      between();
    }
  }
}

/** Everything an end has to say. */
export function drain(end: Pick<End, "transmit">): Uint8Array {
  const pieces: Uint8Array[] = [];
  const bytes = new Uint8Array(4096);
  for (let n = end.transmit(bytes, 0, bytes.length); n > 0; n = end.transmit(bytes, 0, bytes.length)) pieces.push(bytes.slice(0, n));
  return new Uint8Array(Buffer.concat(pieces));
}
