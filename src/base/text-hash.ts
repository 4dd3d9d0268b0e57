/** 32 bits out of a text, well mixed, for spreading things evenly and the same way everywhere; anybody can make texts that collide. */

/** FNV-1a, finished by the mixer of MurmurHash3. The seed gives independent sums of one text. */
export function textHash(text: string, seed = FNV_OFFSET): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME);
  return mix32(value);
}

/** MurmurHash3's finalizer: one to one, each bit of the answer depends on all bits. 0…2^32−1. */
export function mix32(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
