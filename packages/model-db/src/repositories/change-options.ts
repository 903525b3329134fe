import { checkKeys, parseInteger, parseText } from "../domain/input.ts";
import { invalidInput } from "../errors.ts";
import type { ChangeOptions, Scope } from "./scope.ts";

const CHANGE_KEYS: ReadonlySet<string> = new Set(["actor", "expectedRowVersion", "leaseToken"]);

/** The options of a change, checked, with the actor that it is attributed to. */
export type Change = ChangeOptions & { actor: string };

/** @throws RegistryError `invalid_input`. */
export function parseChangeOptions(options: ChangeOptions | undefined, scope: Scope): Change {
  if (options === undefined) return { actor: scope.actor };
  checkKeys("change options", options, CHANGE_KEYS);
  const { expectedRowVersion, leaseToken } = options;
  if (expectedRowVersion !== undefined) parseInteger("expected_row_version", expectedRowVersion, 1);
  if (leaseToken !== undefined) parseInteger("lease_token", leaseToken, 1);
  return { ...options, actor: options.actor === undefined ? scope.actor : parseActor(options.actor) };
}

/** @throws RegistryError `invalid_input`. */
export function parseActor(actor: unknown): string {
  const parsed = parseText("actor", actor);
  if (parsed === null) throw invalidInput("actor", "actor must not be empty.");
  return parsed;
}
