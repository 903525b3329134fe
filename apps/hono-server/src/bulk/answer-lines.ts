import type { Repositories } from "@cortex/model-db";
import type { z } from "zod";

import { IdempotencyKey } from "../answer/idempotency-key.ts";
import { streamAnswer } from "../answer/stream-answer.ts";
import type { RequestContext } from "../env.ts";
import { readLines } from "../request/read-lines.ts";
import { batchesOf, type Batch } from "./batches.ts";
import { doLine, failedLine, toLineError, type BulkWork } from "./line.ts";
import { SpooledLines } from "./spooled-lines.ts";

/**
 * Does what the lines of a body say and answers with a line for each, while the body is still coming: a
 * batch at a time, each in a transaction, so of a body of any length little is in memory. A client that
 * does not read is not read from.
 *
 * With an `Idempotency-Key` the answer to each batch is kept with its changes: asked again, what was done is
 * answered, and what was not, because the connection or the server broke, is done.
 *
 * @throws what is wrong with the request as a whole or, where all lines count as one, with a line.
 */
export async function answerLines<Schema extends z.ZodType>(
  c: RequestContext,
  work: BulkWork<Schema>,
): Promise<Response> {
  const answers = answersTo(c, IdempotencyKey.of(c), work);
  // What is wrong from the start is said with a status of its own.
  const first = await answers.next();
  return streamAnswer(c, answers, { "content-type": "application/x-ndjson" }, first);
}

async function* answersTo<Schema extends z.ZodType>(
  c: RequestContext,
  key: IdempotencyKey | undefined,
  work: BulkWork<Schema>,
): AsyncGenerator<string, undefined> {
  using _ = key;
  yield* (work.isAtomic ? answerTogether : answerSeverally)(c, key, work);
}

async function* answerSeverally(
  c: RequestContext,
  key: IdempotencyKey | undefined,
  work: BulkWork,
): AsyncGenerator<string, undefined> {
  let last = 0;
  try {
    for await (const batch of batchesOf(readLines(c))) {
      yield await c.get("caller").transaction((repositories) => answerBatch(repositories, batch, key, work));
      last = batch.lines.at(-1)!.number;
    }
  } catch (error) {
    // Nothing is out yet: the request as a whole is answered.
    if (last === 0) throw error;
    yield `${JSON.stringify(failedLine(last + 1, error))}\n`;
  }
}

async function* answerTogether(
  c: RequestContext,
  key: IdempotencyKey | undefined,
  work: BulkWork,
): AsyncGenerator<string, undefined> {
  // The lines wait in a file: while a transaction is open, nobody else can write.
  await using lines = await SpooledLines.create();
  await using answers = await SpooledLines.create();
  for await (const line of readLines(c)) await lines.write(line.bytes, line.number);
  await c.get("caller").transaction(async (repositories) => {
    for await (const batch of batchesOf(lines.read())) {
      await answers.write(Buffer.from(await answerBatch(repositories, batch, key, work)), 0);
    }
  });
  for await (const { bytes } of answers.read()) yield Buffer.from(bytes).toString();
}

async function answerBatch(
  repositories: Repositories,
  batch: Batch,
  key: IdempotencyKey | undefined,
  work: BulkWork,
): Promise<string> {
  const answer = async (): Promise<string> => {
    let answers = "";
    for (const line of batch.lines) {
      const result = await doLine(repositories, line, work);
      if (work.isAtomic && result.error !== undefined) throw toLineError(result);
      answers += `${JSON.stringify(result)}\n`;
    }
    return answers;
  };
  if (key === undefined) return answer();
  return (await key.once(repositories, batch.number, batch.text(), answer)).answer;
}
