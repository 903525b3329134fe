// JSON leaves these as they are; a terminal or an editor may obey them. As escapes they mean the same to a parser.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** One JSON document for people and programs, ended by a newline. */
export function toDocument(value: unknown): string {
  return `${escapeUnsafe(JSON.stringify(value, null, 2))}\n`;
}

/** One JSON value on one line, for streams, ended by a newline. */
export function toLine(value: unknown): string {
  return `${escapeUnsafe(JSON.stringify(value))}\n`;
}

/** The document that every list is: `{ "data": […], "next_cursor": …, "total"?: … }`. */
export function toListDocument(
  data: readonly unknown[],
  nextCursor: string | null = null,
  total?: number,
): string {
  return toDocument({ data, next_cursor: nextCursor, ...(total === undefined ? {} : { total }) });
}

function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
