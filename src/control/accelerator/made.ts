/** What a Create operation answers: what was made, by this call or by an earlier one with the same token. */
import { ServiceError } from "../aws/service-error.ts";
import { invalidArgument } from "./exceptions.ts";

/** @throws ServiceError when the token stands for something that has been deleted since */
export async function described<View>(
  { arn, again }: { readonly arn: string; readonly again: boolean },
  describe: (arn: string) => Promise<View>,
): Promise<View> {
  try {
    return await describe(arn);
  } catch (error) {
    if (again && error instanceof ServiceError && error.code.endsWith("NotFoundException"))
      throw invalidArgument(`the idempotency token was used before, for ${arn}, which has been deleted`);
    throw error;
  }
}
