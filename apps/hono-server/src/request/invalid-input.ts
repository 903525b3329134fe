import { RegistryError } from "@cortex/model-db";
import type { z } from "zod";

/** The first thing that is wrong with an input, as an `invalid_input` that names the field. */
export function toInvalidInput(error: z.ZodError): RegistryError {
  const [issue] = error.issues as [z.core.$ZodIssue];
  if (issue.code === "unrecognized_keys") {
    const field = issue.keys.join(", ");
    return invalidInput(field, `${field} is not known here.`);
  }
  const field = issue.path.join(".");
  return invalidInput(field, `${field === "" ? "The body" : field}: ${issue.message}.`);
}

/** An `invalid_input` about one field. */
export function invalidInput(field: string, message: string): RegistryError {
  return new RegistryError("invalid_input", message, { field });
}
