import { checkKeys, parseInteger, parseText } from "../domain/input.ts";
import { invalidInput } from "../errors.ts";
import type { Behalf, ChangeOptions } from "./scope.ts";

const CHANGE_KEYS: ReadonlySet<string> = new Set(["actor", "expectedRowVersion", "leaseToken"]);

/** The options of a change, checked, with on whose behalf it is made. */
export type Change = Omit<ChangeOptions, "actor"> & Behalf;

/** @throws RegistryError `invalid_input`. */
export function parseChangeOptions(options: ChangeOptions | undefined, scope: Behalf): Change {
  const { actor, origin, access } = scope;
  if (options === undefined) return { actor, origin, access };
  checkKeys("change options", options, CHANGE_KEYS);
  const { expectedRowVersion, leaseToken } = options;
  if (expectedRowVersion !== undefined) parseInteger("expected_row_version", expectedRowVersion, 1);
  if (leaseToken !== undefined) parseInteger("lease_token", leaseToken, 1);
  if (options.actor === undefined) return { ...options, actor, origin, access };
  if (access !== undefined) {
    throw invalidInput("actor", `What ${access.user} changes is attributed to nobody else: leave actor out.`);
  }
  return { ...options, actor: parseActor(options.actor), origin, access };
}

/** @throws RegistryError `invalid_input`. */
export function parseActor(actor: unknown): string {
  const parsed = parseText("actor", actor);
  if (parsed === null) throw invalidInput("actor", "actor must not be empty.");
  return parsed;
}
