/** The operations of Global Accelerator, all 56, by name. */
import type { Operation } from "../aws/operation.ts";
import { acceleratorOperations } from "./accelerators.ts";
import { attributeOperations } from "./attributes.ts";
import { byoipOperations } from "./byoip.ts";
import type { AcceleratorContext } from "./context.ts";
import { crossAccountOperations } from "./cross-account.ts";
import { customRoutingEndpointGroupOperations } from "./custom-routing/endpoint-groups.ts";
import { customRoutingEndpointOperations } from "./custom-routing/endpoints.ts";
import { customRoutingListenerOperations } from "./custom-routing/listeners.ts";
import { portMappingOperations } from "./custom-routing/port-mappings.ts";
import { endpointGroupOperations } from "./endpoint-groups.ts";
import { endpointOperations } from "./endpoints.ts";
import { listenerOperations } from "./listeners.ts";
import { tagOperations } from "./tags.ts";

export const globalAcceleratorOperations: Readonly<Record<string, Operation<AcceleratorContext>>> = {
  ...acceleratorOperations,
  ...attributeOperations,
  ...listenerOperations,
  ...endpointGroupOperations,
  ...endpointOperations,
  ...tagOperations,
  ...customRoutingListenerOperations,
  ...customRoutingEndpointGroupOperations,
  ...customRoutingEndpointOperations,
  ...portMappingOperations,
  ...byoipOperations,
  ...crossAccountOperations,
};
