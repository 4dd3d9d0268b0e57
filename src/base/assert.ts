/** A failed assertion is a bug of ours: it is not caught, the process ends. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
  readonly code = "ERR_LONGHAUL_ASSERTION";
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** For the default branch of a switch over a union: the compiler proves it unreachable. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value ${String(value)}`);
}
