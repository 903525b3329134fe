import { isRegistryError } from "@cortex/model-db";

import { readGgufHeader } from "../facts/gguf-header.ts";
import { LocalFile } from "../import/local-file.ts";

/**
 * What is wrong with the header of a GGUF file.
 *
 * @returns the end of a sentence that begins with the path; `undefined` where it can be read.
 * @throws RegistryError `not_found`, `permission_denied`, `io_error`.
 */
export async function headerFault(path: string): Promise<string | undefined> {
  await using file = await LocalFile.open(path);
  try {
    await readGgufHeader(file);
    return undefined;
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "invalid_input") throw error;
    return "has no GGUF header that can be read";
  }
}
