import type { Page } from "../domain/list-options.ts";

/**
 * What the pages of a list hold, one after the other; a page is read when it is come to.
 *
 * @param list reads the page behind a cursor.
 * @param cursor where to begin; `null` at the beginning.
 */
export async function* everyItem<T>(
  list: (cursor: string | null) => Promise<Page<T>>,
  cursor: string | null,
): AsyncGenerator<T, undefined> {
  for (let next: string | null = cursor; ;) {
    const page = await list(next);
    yield* page.items;
    if (page.nextCursor === null) return;
    next = page.nextCursor;
  }
}
