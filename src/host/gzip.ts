/** Compression of whole files, off the main thread. */
import { promisify } from "node:util";
import { gzip as compress } from "node:zlib";

export const gzip: (bytes: string | Uint8Array) => Promise<Uint8Array> = promisify(compress);
