import { MODEL_FIELDS } from "@cortex/model-db";
import Database from "better-sqlite3";

import { RUNNING_PARTS } from "./running.ts";

/** Opens a registry's file with better-sqlite3 alone, with the settings that decide what a commit costs. */
export function openRaw(path: string, options: { readonly?: boolean } = {}): Database.Database {
  const connection = new Database(path, { readonly: options.readonly ?? false });
  connection.pragma("synchronous = FULL");
  connection.pragma("foreign_keys = ON");
  // As the registry's readers have it.
  if (options.readonly === true) connection.pragma("cache_size = -65536");
  connection.pragma("wal_autocheckpoint = 1000");
  return connection;
}

const running = (place: string): string => RUNNING_PARTS.join(place);

const columns = (place: string): string =>
  ["seq", ...MODEL_FIELDS.map(({ name }) => name)]
    .map((name) =>
      name === "status" ? `CASE WHEN ${running(place)} THEN 1 ELSE 0 END AS status` : `model.${name}`,
    )
    .join(", ");

/** The columns of a model with the status that is true now; takes two parameters: boot id and tick. */
export const COLUMNS = columns("?");
/** The same, with the parameters hidden from the planner, so that no run compiles the statement again. */
export const STABLE_COLUMNS = columns("+?");
/** Whether a model runs now; takes the same two parameters. */
export const RUNNING = running("?");
export const STABLE_RUNNING = running("+?");
