import type { RequestContext } from "../env.ts";
import { sameIdentity } from "../guard/same-identity.ts";

/**
 * Answers with texts as they are made, each when there is room for it. Where making them fails, the answer
 * breaks off, which a client notices, and where who asked may no longer do the same; where the client goes
 * away, no more are made.
 *
 * @param first the first of them, where it was made already: only then does the generator learn of a client
 *   that is gone before it reads.
 */
export function streamAnswer(
  c: RequestContext,
  texts: AsyncGenerator<string, undefined>,
  headers: Readonly<Record<string, string>>,
  first?: IteratorResult<string, undefined>,
): Response {
  const encoder = new TextEncoder();
  const isAllowed = sameIdentity(c);
  let made = first;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (made === undefined && !(await isAllowed())) {
          await texts.return(undefined);
          throw new Error("Who asked may no longer do the same.");
        }
        const { done, value } = made ?? (await texts.next());
        made = undefined;
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
