import { isRegistryError, outcomeOf, toVisible } from "@cortex/model-db";

/** Says on stderr, in a line, why the program ends. @returns its exit code */
export function report(error: unknown): number {
  if (isRegistryError(error)) {
    process.stderr.write(`cortex-server: ${toVisible(error.message)}\n`);
    return outcomeOf(error.code).exitCode;
  }
  if (process.env["CORTEX_DEBUG"]) throw error;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `cortex-server: Unexpected: ${toVisible(message)}. Please report this; CORTEX_DEBUG=1 shows more.\n`,
  );
  return 1;
}
