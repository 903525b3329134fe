import type { RequestContext } from "./env.ts";

/**
 * Answers with texts as they are made, each when there is room for it. Where making them fails, the answer
 * breaks off, which a client notices; where the client goes away, no more are made.
 */
export function streamAnswer(
  c: RequestContext,
  texts: AsyncGenerator<string, undefined>,
  headers: Readonly<Record<string, string>>,
): Response {
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await texts.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await texts.return(undefined);
      },
    },
    // Nothing is made before somebody reads.
    { highWaterMark: 0 },
  );
  return c.body(stream, 200, { ...headers });
}
