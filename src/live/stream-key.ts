/**
 * Stream keys: who knows a channel's key may publish to it. Looking a key up takes as long whether it is nearly right or all wrong: every key is
 * compared, each to its end, so that time tells nothing about them.
 */

export class StreamKeys {
  readonly #names: string[] = [];
  readonly #keys: string[] = [];

  /** Channel name → stream key. */
  constructor(channels: Readonly<Record<string, string>>) {
    for (const [name, key] of Object.entries(channels)) this.set(name, key);
  }

  /** The channel's key from now on; undefined: it has none, and nobody may publish to it. */
  set(name: string, key: string | undefined): void {
    const known = this.#names.indexOf(name);
    if (known >= 0) {
      this.#names.splice(known, 1);
      this.#keys.splice(known, 1);
    }
    if (key === undefined) return;
    this.#names.push(name);
    this.#keys.push(key);
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
