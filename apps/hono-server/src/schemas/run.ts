import { z } from "zod";

/** A lease on the wire. */
export const runSchema = z
  .object({
    token: z.int().positive().meta({ description: "Names the lease; larger than that of every earlier one" }),
    model_id: z.string(),
    holder: z.string().meta({ description: "Who runs it" }),
    node: z.string().meta({ description: "On which machine" }),
    pid: z.int().nullable().meta({ description: "In which process" }),
    endpoint: z.string().nullable().meta({ description: "Where it answers" }),
    started_at: z.int().meta({ description: "Unix milliseconds" }),
    expires_at: z.int().meta({ description: "Unix milliseconds; until then it holds unless renewed" }),
    ttl_ms: z.int().positive(),
  })
  .meta({ id: "Run" });

/** A lease, for documentation. */
export const RUN_EXAMPLE: z.output<typeof runSchema> = {
  token: 42,
  model_id: "tinyllama:1b-gguf",
  holder: "my-engine",
  node: "host-a",
  pid: 4711,
  endpoint: "http://127.0.0.1:3000",
  started_at: 1_767_225_600_000,
  expires_at: 1_767_225_630_000,
  ttl_ms: 30_000,
};

/** How long a lease holds unless it is renewed. */
export const ttlSchema = z
  .int()
  .min(1000)
  .max(2_592_000_000)
  .meta({ description: "Milliseconds, up to 30 days" });
