import { existsSync } from "node:fs";

import { shellQuote, toVisible, type RegistryError } from "@cortex/model-db";

import { parse } from "./parse.ts";

/** What to type after a failure, as a sentence; the library, which says what is so, has no verbs and flags. */
export function adviceOn({ code }: RegistryError, argv: readonly string[]): string | undefined {
  switch (code) {
    case "model_running":
      return adviceOnRunning(argv);
    case "schema_too_old":
      return "`cortex migrate up` does that.";
    case "not_a_registry":
      return "--db or CORTEX_DB names the registry.";
    case "not_found":
    case "invalid_input":
      return adviceOnPull(argv);
    default:
      return undefined;
  }
}

function adviceOnRunning(argv: readonly string[]): string {
  const invocation = parse(argv);
  const starts = invocation.kind === "verb" && invocation.name === "start";
  return `\`cortex stop\` ends that${starts ? "; `cortex start --join` runs it beside" : ""}.`;
}

function adviceOnPull(argv: readonly string[]): string | undefined {
  const invocation = parse(argv);
  if (invocation.kind !== "verb" || invocation.name !== "pull") return undefined;
  const { reference } = invocation.options as { reference: string };
  if (!existsSync(reference)) return undefined;
  return `${toVisible(reference)} lies on this machine: \`cortex import ${shellQuote(reference)}\` registers that.`;
}
