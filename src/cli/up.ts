/** `longhaul up`. */
import { live } from "./live.ts";
export const up = { ...live, name: "up" };
