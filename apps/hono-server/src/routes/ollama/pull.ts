import { RegistryError, type ErrorCode, type Transfer } from "@cortex/model-db";
import { z } from "zod";

import { streamAnswer } from "../../answer/stream-answer.ts";
import type { RequestContext } from "../../env.ts";
import { route } from "../../route.ts";
import { toWireTransfer } from "../../schemas/transfer.ts";
import { transferStates } from "../../sources/transfer-states.ts";

const lineSchema = z
  .object({
    status: z.string().optional(),
    digest: z.string().optional(),
    total: z.int().optional(),
    completed: z.int().optional(),
    error: z.string().optional().meta({ description: "Alone on the last line, where it failed" }),
  })
  .meta({ id: "OllamaPullLine" });

export const pullOllamaModel = route({
  method: "post",
  path: "/api/pull",
  operationId: "pullOllamaModel",
  summary: "Fetches a model, and tells how far it is",
  description:
    "Names of Hugging Face (`hf.co/org/repo:Q4_K_M`) and of cortex.so (`cortex.so/tinyllama:1b-gguf`). Those of Ollama's own " +
    "library are refused: nothing here can fetch them. The work goes on where the client goes away.",
  tag: "ollama",
  request: {
    body: z.object({
      model: z.string().optional(),
      name: z.string().optional().meta({ description: "The older word for model" }),
      stream: z.boolean().optional().meta({ description: "One answer at the end where false" }),
      insecure: z.boolean().optional().meta({ description: "Is ignored" }),
    }),
    isAnyMediaType: true,
  },
  responses: {
    200: {
      description: "A line for each step; without `stream`, the last one alone",
      contentType: "application/x-ndjson",
      schema: lineSchema,
      example: { status: "pulling model.gguf", digest: "sha256:…", total: 667_814_368, completed: 1_048_576 },
    },
  },
  errors: ["not_found", "name_taken", "lease_lost", "checksum_mismatch", "source_unreachable"],
  handle: async (c, { body: { model, name, stream } }) => {
    const reference = toReference(model ?? name ?? "");
    const { sources } = c.get("service");
    const asked = await sources.request(c.get("caller"), reference, { signal: c.req.raw.signal });
    const lines = "model" in asked ? alreadyHere() : linesOf(c, asked.transfer);
    if (stream !== false) return streamAnswer(c, toTexts(lines), { "content-type": "application/x-ndjson" });
    let last: Line = {};
    for await (const line of lines) last = line;
    if (last instanceof RegistryError) throw last;
    return c.json(last);
  },
});

/** A step, or why there is none any more. */
type Line = z.output<typeof lineSchema> | RegistryError;

// Ollama's own program says `tinyllama` for what stands in its library.
function toReference(name: string): string {
  if (/^(?:hf\.co|huggingface\.co|cortex\.so)\//i.test(name) || /^https?:\/\//i.test(name)) return name;
  if (name.includes("/") || /-gguf$/i.test(name)) return name;
  throw new RegistryError(
    "invalid_input",
    `${JSON.stringify(name)} would be of Ollama's own library, from which nothing can be fetched here. ` +
      "Name a model of Hugging Face (hf.co/org/repo) or of cortex.so (cortex.so/name:tag).",
    { field: "model" },
  );
}

async function* toTexts(lines: AsyncGenerator<Line>): AsyncGenerator<string, undefined> {
  for await (const line of lines) {
    const shown = line instanceof RegistryError ? { error: line.message } : line;
    yield `${JSON.stringify(shown)}\n`;
  }
}

async function* alreadyHere(): AsyncGenerator<Line> {
  yield { status: "pulling manifest" };
  yield { status: "success" };
}

async function* linesOf(c: RequestContext, { transferId }: Transfer): AsyncGenerator<Line> {
  const { closing, heartbeatMs } = c.get("service");
  const { transfers } = c.get("caller");
  const gone = c.req.raw.signal;
  const signal = closing === undefined ? gone : AbortSignal.any([gone, closing]);
  yield { status: "pulling manifest" };
  const states = transferStates(() => transfers.get(transferId), { signal, repeatMs: heartbeatMs });
  let last: Transfer | undefined;
  for await (const { transfer } of states) {
    last = transfer;
    for (const { path, sha256, sizeBytes, doneBytes } of transfer.files) {
      const named = sha256 ?? path.slice(path.lastIndexOf("/") + 1);
      yield {
        status: `pulling ${named.slice(0, 12)}`,
        ...(sha256 === null ? {} : { digest: `sha256:${sha256}` }),
        ...(sizeBytes === null ? {} : { total: sizeBytes }),
        completed: doneBytes,
      };
    }
  }
  if (last?.state === "done") {
    yield { status: "verifying sha256 digest" };
    yield { status: "writing manifest" };
    yield { status: "success" };
    return;
  }
  const failure = last && toWireTransfer(last).error;
  yield new RegistryError(
    (failure?.code ?? "lease_lost") as ErrorCode,
    failure?.message ?? `The transfer is ${last?.state ?? "gone"}.`,
  );
}
