/**
 * Stream keys: who knows a channel's key may publish to it. Looking a key up takes as long whether it is nearly right or all wrong: every key is
 * compared, each to its end, so that time tells nothing about them.
 */

export class StreamKeys {
  readonly #names: readonly string[];
  readonly #keys: readonly string[];

  /** Channel name → stream key. */
  constructor(channels: Readonly<Record<string, string>>) {
    this.#names = Object.keys(channels);
    this.#keys = Object.values(channels);
  }

  /** The channel whose key this is. */
  channel(key: string): string | undefined {
    let found = -1;
    for (let i = 0; i < this.#keys.length; i++) if (equal(key, this.#keys[i]!)) found = i;
    return this.#names[found];
  }
}

/** Its time depends on the length of what was given, never on the secret's content. */
function equal(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ secret.charCodeAt(secret.length === 0 ? 0 : i % secret.length);
  return difference === 0;
}
