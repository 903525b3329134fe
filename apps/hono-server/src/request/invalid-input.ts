import { RegistryError } from "@cortex/model-db";

/** An `invalid_input` about one field. */
export function invalidInput(field: string, message: string): RegistryError {
  return new RegistryError("invalid_input", message, { field });
}
