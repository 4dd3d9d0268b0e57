/** Shapes that operations of Global Accelerator share, with the constraints of its published model (botocore's globalaccelerator/2018-08-08). */
import { z } from "zod";

/** Lengths are said as AWS says them. */
const atMost = (most: number): string => `Member must have length less than or equal to ${most}`;
const atLeast = (least: number): string => `Member must have length greater than or equal to ${least}`;

export const text = (most: number, least = 0) => z.string("Member must be a text").min(least, atLeast(least)).max(most, atMost(most));
export const whole = (least: number, most: number) =>
  z
    .int("Member must be a whole number")
    .min(least, `Member must have value greater than or equal to ${least}`)
    .max(most, `Member must have value less than or equal to ${most}`);
export const listOf = <Shape extends z.ZodType>(shape: Shape, most: number, least = 0) =>
  z.array(shape, "Member must be a list").min(least, atLeast(least)).max(most, atMost(most));
export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `Member must satisfy enum value set: [${values.join(", ")}]`);
export const flag = z.boolean("Member must be true or false");

/** What the model leaves without a limit has one all the same, beyond what a body holds of it. */
export const UNLIMITED = 65_536;

export const generic = text(255);
/** ARNs of accelerators, listeners and endpoint groups; what they name is looked at later. */
export const arn = generic;
export const idempotencyToken = text(255);
export const ipAddressType = oneOf(["IPV4", "DUAL_STACK"]);
export const ipAddresses = listOf(text(45), 2);
export const protocol = oneOf(["TCP", "UDP"]);
export const clientAffinity = oneOf(["NONE", "SOURCE_IP"]);
export const port = whole(1, 65_535);
export const portRanges = listOf(z.strictObject({ FromPort: port.optional(), ToPort: port.optional() }), 10, 1);

export const endpointConfigurations = listOf(
  z.strictObject({
    EndpointId: generic.optional(),
    Weight: whole(0, 255).optional(),
    ClientIPPreservationEnabled: flag.optional(),
    AttachmentArn: generic.optional(),
  }),
  10,
);
export type EndpointConfiguration = z.output<typeof endpointConfigurations>[number];

export const portOverrides = listOf(z.strictObject({ ListenerPort: port.optional(), EndpointPort: port.optional() }), 10);

export const groupSettings = {
  EndpointConfigurations: endpointConfigurations.optional(),
  TrafficDialPercentage: z
    .number("Member must be a number")
    .min(0, "Member must have value greater than or equal to 0")
    .max(100, "Member must have value less than or equal to 100")
    .optional(),
  HealthCheckPort: port.optional(),
  HealthCheckProtocol: oneOf(["TCP", "HTTP", "HTTPS"]).optional(),
  HealthCheckPath: text(255)
    .regex(/^\/[-a-zA-Z0-9@:%_\\+.~#?&/=]*$/, "Member must satisfy regular expression pattern: ^/[-a-zA-Z0-9@:%_\\\\+.~#?&/=]*$")
    .optional(),
  HealthCheckIntervalSeconds: whole(10, 30).optional(),
  ThresholdCount: whole(1, 10).optional(),
  PortOverrides: portOverrides.optional(),
};

export const tagList = listOf(z.strictObject({ Key: text(128, 1), Value: text(256) }), UNLIMITED);
export const resourceArn = text(1011, 1);
export const cidr = generic;
export const accountId = text(12, 12).regex(/^\d{12}$/, "Member must satisfy regular expression pattern: ^\\d{12}$");

export const paging = { MaxResults: whole(1, 100).optional(), NextToken: generic.optional() };
/** Port mappings come by the thousand. */
export const mappingPaging = { MaxResults: whole(1, 20_000).optional(), NextToken: generic.optional() };
export const PAGE_DEFAULT = 10;
