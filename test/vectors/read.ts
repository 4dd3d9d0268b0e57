/** Where the recorded vectors lie: `../shared/vectors` beside the checkout, or LONGHAUL_VECTORS. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.env.LONGHAUL_VECTORS ?? join(import.meta.dirname, "../../../shared/vectors");

/** A reason to skip when the vectors are not here, false when they are: for the `skip` option of a test. */
export const vectorsMissing: string | false = existsSync(root) ? false : `no vectors at ${root}; set LONGHAUL_VECTORS`;

export function readVector<T>(path: string): T {
  return JSON.parse(readFileSync(join(root, path), "utf8")) as T;
}

export function readVectorBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(root, path)));
}
