import { type Registry, RegistryError, shellQuote, toVisible } from "@cortex/model-db";

import { isLoopback } from "../guard/host.ts";
import type { Settings } from "./settings.ts";

/** Whether others than the users of this machine can reach the server: over its address, or through a proxy. */
export function isExposed({ host, allowedHost, trustProxy }: Settings): boolean {
  return !(host === "localhost" || isLoopback(host)) || allowedHost.length > 0 || trustProxy.length > 0;
}

/**
 * Refuses to serve a registry to others as long as nobody has to say who they are.
 *
 * @throws RegistryError `unauthenticated`, with the commands that make a first user.
 */
export async function checkExposure(settings: Settings, { access }: Registry): Promise<void> {
  if (!isExposed(settings) || (await access.hasUsers())) return;
  const db = ` --db ${shellQuote(settings.db)}`;
  throw new RegistryError(
    "unauthenticated",
    toVisible(
      `Other machines could reach this server, and the registry has no user yet: everybody could change everything. Make one first: cortex user add admin --role admin${db} && cortex token create admin${db}`,
    ),
  );
}
