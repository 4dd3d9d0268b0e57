/**
 * Where recordings go: a folder with a folder for each bucket. What is written is whole or not there: a file takes its name when its bytes are on the disk.
 */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface Storage {
  /** Makes or replaces an object. `key` has slashes, letters, digits, - _ and dots. */
  put(bucket: string, key: string, bytes: Uint8Array | string): Promise<void>;
  /** Undefined: it is not there. */
  get(bucket: string, key: string): Promise<Uint8Array | undefined>;
}

export class FolderStorage implements Storage {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(bucket: string, key: string, bytes: Uint8Array | string): Promise<void> {
    const path = join(this.#root, bucket, key);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(`${path}.part`, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#root, bucket, key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}
