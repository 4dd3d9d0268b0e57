/**
 * `longhaul/qpp`: quantum permutation pads as kcptun's option QPP lays them over each connection.
 *
 * ```ts
 * import { primitives } from "longhaul/crypto";
 * const pads = new QppPads(new TextEncoder().encode("secret"), 61, primitives);   // takes milliseconds; shared by all connections
 * const qpp = new Qpp(pads);                                                      // one for each connection, the same at both ends
 * qpp.encrypt(bytes, start, end);                                                 // in place, in the order the bytes are sent
 * qpp.decrypt(bytes, start, end);                                                 // in place, in the order they came
 * ```
 */
export * as qpp from "./index.ts";
export type { Ecb, Primitives } from "./primitives.ts";
export { PADS_MAX, Qpp, QppPads } from "./qpp.ts";
