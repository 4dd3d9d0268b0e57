/**
 * Cross-account attachments, the seven operations of an account that shares nothing with any other, since an installation is one account: lists are empty, what is
 * asked for is not there, and none can be made.
 */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { parseToken } from "../aws/paging.ts";
import { acceleratorRow } from "./accelerator-row.ts";
import type { AcceleratorContext } from "./context.ts";
import { attachmentNotFound, denied, invalidNextToken } from "./exceptions.ts";
import * as shapes from "./shapes.ts";

const name = shapes.text(64).regex(/[\S\s]+/, "Member must satisfy regular expression pattern: [\\S\\s]+");
const principals = shapes.listOf(
  shapes.text(256).regex(/(^\d{12}$|arn:.*)/, "Member must satisfy regular expression pattern: (^\\d{12}$|arn:.*)"),
  shapes.UNLIMITED,
);
const resources = shapes.listOf(
  z.strictObject({ EndpointId: shapes.generic.optional(), Cidr: shapes.generic.optional(), Region: shapes.generic.optional() }),
  shapes.UNLIMITED,
);
const attachmentInput = z.strictObject({ AttachmentArn: shapes.arn });

function missing({ AttachmentArn }: { readonly AttachmentArn: string }): never {
  throw attachmentNotFound(`there is no cross-account attachment ${AttachmentArn}`);
}

export const crossAccountOperations = {
  CreateCrossAccountAttachment: operation({
    input: z.strictObject({
      Name: name,
      Principals: principals.optional(),
      Resources: resources.optional(),
      IdempotencyToken: shapes.idempotencyToken,
      Tags: shapes.tagList.optional(),
    }),
    role: "admin",
    run(_context: AcceleratorContext): undefined {
      throw denied("an installation is one account: there is none to share resources with");
    },
  }),
  DescribeCrossAccountAttachment: operation({
    input: attachmentInput,
    role: "read-only",
    run: (_context: AcceleratorContext, input) => missing(input),
  }),
  UpdateCrossAccountAttachment: operation({
    input: z.strictObject({
      AttachmentArn: shapes.arn,
      Name: name.optional(),
      AddPrincipals: principals.optional(),
      RemovePrincipals: principals.optional(),
      AddResources: resources.optional(),
      RemoveResources: resources.optional(),
    }),
    role: "admin",
    run: (_context: AcceleratorContext, input) => missing(input),
  }),
  DeleteCrossAccountAttachment: operation({
    input: attachmentInput,
    role: "admin",
    run: (_context: AcceleratorContext, input) => missing(input),
  }),
  ListCrossAccountAttachments: operation({
    input: z.strictObject(shapes.paging),
    role: "read-only",
    run(_context: AcceleratorContext, { NextToken }) {
      parseToken(NextToken, invalidNextToken);
      return { CrossAccountAttachments: [] };
    },
  }),
  ListCrossAccountResourceAccounts: operation({
    input: z.strictObject({}),
    role: "read-only",
    run: (_context: AcceleratorContext) => ({ ResourceOwnerAwsAccountIds: [] }),
  }),
  ListCrossAccountResources: operation({
    input: z.strictObject({
      AcceleratorArn: shapes.arn.optional(),
      ResourceOwnerAwsAccountId: shapes.accountId,
      ...shapes.paging,
    }),
    role: "read-only",
    async run(context: AcceleratorContext, { AcceleratorArn, NextToken }) {
      parseToken(NextToken, invalidNextToken);
      if (AcceleratorArn !== undefined) await acceleratorRow(context.database, context, "standard", AcceleratorArn);
      return { CrossAccountResources: [] };
    },
  }),
};
