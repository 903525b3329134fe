import { RegistryError, toVisible } from "@cortex/model-db";

/** That the program was not told right what to do: exit code 2. */
export function misuse(message: string): RegistryError {
  return new RegistryError("invalid_input", toVisible(message));
}
