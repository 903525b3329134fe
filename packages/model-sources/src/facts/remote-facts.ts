import { posix } from "node:path";

import type { HttpClient } from "../hub/http-client.ts";
import { readGgufFacts } from "./gguf-facts.ts";
import type { ModelFacts } from "./model-facts.ts";
import { RangeSource } from "./range-source.ts";

// Most of a header is the vocabulary, often megabytes; what matters stands before it.
const MAX_BYTES = 512 * 1024;

/**
 * What a GGUF file behind a URL says, from at most 512 KiB of it. What stands behind a large vocabulary, such as
 * the chat template and the count of parameters, is not known then, and `complete` is false.
 *
 * @throws RegistryError as {@link RangeSource.open}; `invalid_input` for what is no GGUF file.
 */
export async function readRemoteFacts(
  url: string,
  http: Pick<HttpClient, "request">,
  signal?: AbortSignal,
): Promise<ModelFacts> {
  const source = await RangeSource.open(url, http, signal);
  return readGgufFacts(source, posix.basename(decodeURIComponent(new URL(url).pathname)), MAX_BYTES);
}
