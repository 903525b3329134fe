import path from "node:path";

import { shellQuote, type RegistryError } from "@cortex/model-db";

import { locationOf } from "./open.ts";
import { parse } from "./parse.ts";

/** What to type after a failure, as a sentence; the library, which says what is so, has no verbs and flags. */
export function adviceOn({ code, message }: RegistryError, argv: readonly string[]): string | undefined {
  switch (code) {
    case "model_running":
      return "`cortex stop` ends that; `cortex start --join` runs it beside.";
    case "schema_too_old":
      return "`cortex migrate up` does that.";
    case "not_a_registry":
      return message.includes("old cortex program")
        ? `\`cortex-migrate --from ${shellQuote(location(argv))}\` brings its models over. --db or CORTEX_DB names another path for the registry.`
        : "--db or CORTEX_DB names it.";
    default:
      return undefined;
  }
}

// Whoever got as far as a registry was understood before.
function location(argv: readonly string[]): string {
  const invocation = parse(argv);
  return path.resolve(locationOf(invocation.kind === "verb" ? invocation.options : {}));
}
