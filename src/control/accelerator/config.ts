/** Options of whoever serves Global Accelerator's API: the one source of flags, environment names, JSON keys and help. */
import { z } from "zod";
import { AddressPool } from "./address-pool.ts";
import { parseCidr } from "./cidr.ts";
import { type Quotas, quotaDefaults } from "./context.ts";

const quotaNames = Object.keys(quotaDefaults) as [keyof Quotas, ...(keyof Quotas)[]];

export const acceleratorOptions = {
  addresses: z
    .array(z.string().refine((text) => parseCidr(text) !== undefined, "addresses and networks such as 198.51.100.0/28 are"))
    .default(["127.8.0.0/16"])
    .describe("addresses and networks from which accelerators get their static addresses; loopback if not given, to try it on one machine"),
  domain: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,198}[A-Za-z0-9])?$/, "a domain")
    .default("accelerator.internal")
    .describe("what the DNS names of accelerators end in"),
  quotas: z
    .partialRecord(z.enum(quotaNames), z.coerce.number().int().min(0).max(100_000))
    .default({})
    .describe(`most of a kind, ${quotaNames.map((name) => `${name}=${quotaDefaults[name]}`).join(", ")} if not given`)
    .meta({ alias: ["quota"] }),
};
export type AcceleratorOptions = z.output<z.ZodObject<typeof acceleratorOptions>>;

export function poolOf({ addresses }: Pick<AcceleratorOptions, "addresses">): AddressPool {
  return new AddressPool(addresses.map((text) => parseCidr(text)!));
}

export function quotasOf({ quotas }: Pick<AcceleratorOptions, "quotas">): Quotas {
  return { ...quotaDefaults, ...(quotas as Partial<Quotas>) };
}
