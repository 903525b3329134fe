import type { RequestContext } from "../env.ts";
import { sameIdentity } from "../guard/same-identity.ts";

/** How many items are written at a time. */
const PIECE_LENGTH = 1000;

/**
 * A JSON document around a list of any length. What goes into one piece is sent as one; of a longer one
 * there is never more than a piece in memory. A failure at the start is thrown; a later one breaks the
 * connection off, so that nobody takes the beginning for the whole, and so does the end of who asked's rights.
 *
 * @param around what stands before and after the list.
 * @param items the list, read as the client reads.
 */
export async function jsonList(
  c: RequestContext,
  [before, after]: readonly [string, string],
  items: AsyncIterator<object, undefined>,
): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const { text, isLast } = await readPiece(items);
  if (isLast) return c.body(`${before}[${text}]${after}`, 200, headers);
  const encoder = new TextEncoder();
  const isAllowed = sameIdentity(c);
  const rest = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(`${before}[${text}`)),
    pull: async (controller) => {
      if (!(await isAllowed())) {
        await items.return?.();
        throw new Error("Who asked may no longer do the same.");
      }
      const piece = await readPiece(items);
      if (piece.text !== "") controller.enqueue(encoder.encode(`,${piece.text}`));
      if (!piece.isLast) return;
      controller.enqueue(encoder.encode(`]${after}`));
      controller.close();
    },
    cancel: async () => {
      await items.return?.();
    },
  });
  return c.body(rest, 200, headers);
}

async function readPiece(
  items: AsyncIterator<object, undefined>,
): Promise<{ text: string; isLast: boolean }> {
  const texts: string[] = [];
  while (texts.length < PIECE_LENGTH) {
    const { value, done } = await items.next();
    if (done === true) return { text: texts.join(","), isLast: true };
    texts.push(JSON.stringify(value));
  }
  return { text: texts.join(","), isLast: false };
}
