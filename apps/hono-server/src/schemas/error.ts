import { z } from "zod";

const code = z.string().meta({ description: "One word of a closed set", example: "model_not_found" });
const message = z.string().meta({ description: "What happened, to which thing, and what to do next" });
const request_id = z.string().meta({ description: "Names the request in the server's log" });

const error = z.object({
  code,
  message,
  type: z
    .enum([
      "invalid_request_error",
      "authentication_error",
      "permission_error",
      "rate_limit_error",
      "server_error",
    ])
    .meta({ description: "The kind of failure, in OpenAI's words" }),
  param: z.string().nullable().meta({ description: "The input field at fault, where there is one" }),
  request_id,
});

/** What every failure looks like, OpenAI's words among it. */
export const errorSchema = z.object({ error }).meta({ id: "Error" });

/** The same for clients of the old program, which look for `message` beside it. */
export const oldErrorSchema = z.object({ error, message }).meta({ id: "ModelError" });

/** What a failure looks like to Ollama's clients: the error is a text. */
export const ollamaErrorSchema = z.object({ error: message, code, request_id }).meta({ id: "OllamaError" });
