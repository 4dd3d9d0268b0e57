/** Advertisements are MediaTailor's, which there is not here: the six operations say so. */
import { z } from "zod";
import { type Operation, operation } from "../aws/operation.ts";
import { accessDenied } from "../aws/service-error.ts";
import type { IvsContext } from "./context.ts";

const refused: Operation<IvsContext> = operation({
  input: z.looseObject({}),
  role: "read-only",
  run(): undefined {
    throw accessDenied("advertisements are not offered by this installation: there is no AWS Elemental MediaTailor behind it");
  },
});

export const adOperations = {
  CreateAdConfiguration: refused,
  GetAdConfiguration: refused,
  ListAdConfigurations: refused,
  UpdateAdConfiguration: refused,
  DeleteAdConfiguration: refused,
  InsertAdBreak: refused,
};
