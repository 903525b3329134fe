import { z } from "zod";

const etag = z.string().meta({ description: "Names the record as it is", example: '"3-9f86d081884c7d65-0"' });

/** Headers of an answer that holds, or stands for, one model. */
export const modelHeaders = z.object({ ETag: etag });

/** Says of an answer that it was given before. */
export const replayedHeader = z.literal("true").optional().meta({
  description: "The first answer to a request with this Idempotency-Key, and nothing was done again",
});

/** Headers of an answer to a registration. */
export const createdHeaders = z.object({
  ETag: etag,
  Location: z.string().meta({ description: "Where the model is" }),
  "Idempotent-Replayed": replayedHeader,
});

/** Only where the client does not have the answer. */
export const ifNoneMatchHeader = z
  .string()
  .optional()
  .meta({ description: "The ETags that the client knows (RFC 9110); weak ones count" });

/** Asks for an answer without a body. */
export const preferHeader = z
  .string()
  .optional()
  .meta({ description: "`return=minimal` asks for an answer without a body (RFC 7240)" });

/** Asks for a creation that is done once, however often it is sent. */
export const idempotencyKeyHeader = z.string().optional().meta({
  description:
    "A name for this request, such as a UUID: sent again within a day, it gets the first answer and is not done again",
  example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
});

/** Only as long as nobody else changed it. */
export const ifMatchHeader = z
  .string()
  .optional()
  .meta({ description: "Only if the record is still what one of these ETags names (RFC 9110)" });
