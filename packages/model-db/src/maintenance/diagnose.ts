import { statSync } from "node:fs";

import { toRegistryError } from "../database/sqlite/errors.ts";
import { isRegistryError } from "../errors.ts";
import { checkRegistry } from "./check.ts";

/** What is wrong with a registry's file. */
export interface Diagnosis {
  /** `other`: the file is none of a registry, though it may be whole. */
  readonly kind: "missing" | "empty" | "damaged" | "other";
  readonly message: string;
}

/**
 * Looks through a registry for damage, as a full check does.
 *
 * @returns `undefined` where nothing is damaged.
 * @throws RegistryError `schema_too_new`, `schema_too_old`, `database_busy`, `read_only`, `io_error`.
 */
export async function diagnose(path: string): Promise<Diagnosis | undefined> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { kind: "missing", message: `There is no registry at ${path}.` };
  if (found.size === 0) return { kind: "empty", message: `${path} is empty.` };
  try {
    for await (const { severity, message } of checkRegistry(path, { full: true })) {
      if (severity === "damage") return { kind: "damaged", message };
    }
    return undefined;
  } catch (error) {
    const failure = toRegistryError(error, path);
    if (!isRegistryError(failure) || failure.code !== "not_a_registry") throw failure;
    return { kind: "other", message: failure.message };
  }
}
