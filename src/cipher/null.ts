/** kcptun's `null` (since 2022-06): the datagram is the body, nothing is added and nothing is checked. Source: kcptun.md section 2.2. */
import type { Batch } from "../base/batch.ts";
import type { CipherStats, PacketCipher } from "./cipher.ts";
import type { CipherName } from "./names.ts";

export class NullCipher implements PacketCipher {
  readonly name: CipherName = "null";
  readonly headBytes = 0;
  readonly tailBytes = 0;
  readonly stats: CipherStats = { sealed: 0, opened: 0, shortDatagrams: 0, longDatagrams: 0, checksumErrors: 0 };

  seal(batch: Batch, from: number): void {
    this.stats.sealed += batch.length - from;
  }

  open(batch: Batch, from = 0): void {
    this.stats.opened += batch.length - from;
  }
}
