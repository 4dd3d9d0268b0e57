/**
 * Names of the accelerator's resources, without a region:
 *
 *   arn:aws:globalaccelerator::ACCOUNT:accelerator/UUID[/listener/8 hex[/endpoint-group/12 hex]]
 */
import type { ServiceError } from "../aws/service-error.ts";
import { acceleratorNotFound, endpointGroupNotFound, invalidArgument, listenerNotFound } from "./exceptions.ts";

/** What an ARN names; a listener's has no group, an accelerator's neither. */
export interface ArnParts {
  readonly accelerator: string;
  readonly listener?: string;
  readonly group?: string;
}

export type Level = "accelerator" | "listener" | "endpoint group";

const PATTERN =
  /^arn:aws:globalaccelerator::(?<account>\d{12}):accelerator\/(?<accelerator>[0-9a-f-]{36})(\/listener\/(?<listener>[0-9a-f]{8})(\/endpoint-group\/(?<group>[0-9a-f]{12}))?)?$/;

export function arnOf(account: string, { accelerator, listener, group }: ArnParts): string {
  const below = `${listener === undefined ? "" : `/listener/${listener}`}${group === undefined ? "" : `/endpoint-group/${group}`}`;
  return `arn:aws:globalaccelerator::${account}:accelerator/${accelerator}${below}`;
}

/** @throws ServiceError when it is no ARN of such a resource, or of another account */
export function acceleratorOf(account: string, arn: string): { readonly accelerator: string } {
  return parse(account, arn, "accelerator", acceleratorNotFound);
}

export function listenerOf(account: string, arn: string): { readonly accelerator: string; readonly listener: string } {
  return parse(account, arn, "listener", listenerNotFound) as { accelerator: string; listener: string };
}

export function groupOf(account: string, arn: string): Required<ArnParts> {
  return parse(account, arn, "endpoint group", endpointGroupNotFound) as Required<ArnParts>;
}

/** Of any of the three; undefined: it is none. */
export function parseArn(account: string, arn: string): ArnParts | undefined {
  const groups = PATTERN.exec(arn)?.groups;
  if (groups === undefined || groups.account !== account) return undefined;
  const { accelerator, listener, group } = groups;
  return { accelerator: accelerator!, ...(listener === undefined ? {} : { listener }), ...(group === undefined ? {} : { group }) };
}

export function levelOf({ listener, group }: ArnParts): Level {
  if (group !== undefined) return "endpoint group";
  return listener === undefined ? "accelerator" : "listener";
}

function parse(account: string, arn: string, level: Level, notFound: (message: string) => ServiceError): ArnParts {
  if (!PATTERN.test(arn)) throw invalidArgument(`'${arn}' is not the ARN of an ${level}`.replace("an listener", "a listener"));
  const parts = parseArn(account, arn);
  if (parts === undefined) throw notFound(`${arn} is of another account`);
  if (levelOf(parts) !== level) throw invalidArgument(`'${arn}' is the ARN of another kind of resource; that of an ${level} is needed`);
  return parts;
}
