/**
 * What does it cost to encrypt and decrypt a packet? `node bench/cipher.ts`
 * Prints nanoseconds a packet of 1344 bytes on the wire: sealing and opening, in batches from 64 down to 1. Each figure is the best of
 * many short runs, because whatever else the machine does only ever adds. Ciphers that are in TypeScript are measured once.
 */
import { Batch, SLOT_BYTES } from "../src/base/batch.ts";
import { createCipher, type PacketCipher } from "../src/cipher/cipher.ts";
import { type CryptoKind, cryptoOf, primitives } from "../src/host/crypto.ts";
import { takeRegion } from "../src/kernel/kernels.ts";

const WIRE_BYTES = 1344;
const RUNS = 40;
const ROUND_PACKETS = 1280;

for (const kind of ["openssl", "node"] as CryptoKind[]) {
  const machine = cryptoOf(kind);
  if (machine === undefined) {
    console.log(`${kind}: not on this machine`);
    continue;
  }
  const key = machine.deriveKey("it's a secrect");
  for (const name of ["aes", "aes-128", "aes-128-gcm", "none"] as const) {
    for (const size of [64, 8, 4, 1]) measure(kind, createCipher(name, key, machine), size);
  }
}

for (const name of ["salsa20", "blowfish", "twofish", "cast5", "3des", "tea", "xtea", "xor", "sm4"] as const) {
  for (const size of [64, 1]) measure("typescript", createCipher(name, primitives.deriveKey("it's a secrect"), primitives), size);
}

function measure(kind: CryptoKind | "typescript", cipher: PacketCipher, size: number): void {
  const batch = new Batch(size, takeRegion(size * SLOT_BYTES));
  const seal: number[] = [];
  const open: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    let sealing = 0n;
    let opening = 0n;
    for (let done = 0; done < ROUND_PACKETS; done += size) {
      batch.length = size;
      for (let i = 0; i < size; i++) {
        batch.start[i] = batch.slot(i) + 64 + cipher.headBytes;
        batch.end[i] = batch.slot(i) + 64 + WIRE_BYTES - cipher.tailBytes;
      }
      const a = process.hrtime.bigint();
      cipher.seal(batch, 0);
      const b = process.hrtime.bigint();
      cipher.open(batch);
      opening += process.hrtime.bigint() - b;
      sealing += b - a;
    }
    seal.push(Number(sealing) / ROUND_PACKETS);
    open.push(Number(opening) / ROUND_PACKETS);
  }
  if (cipher.stats.checksumErrors > 0) throw new Error(`${cipher.name} does not open what it sealed`);
  console.log(
    `${kind.padEnd(10)} ${cipher.name.padEnd(12)} batch ${String(size).padStart(2)}   seal ${best(seal)} ns   open ${best(open)} ns`,
  );
}

function best(values: number[]): string {
  return String(Math.round(Math.min(...values))).padStart(5);
}
