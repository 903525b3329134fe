import { invalidInput } from "../errors.ts";

/** Where a page ended: the sorted field's value there, and the row's sequence number. */
export interface Position {
  readonly value: string | number | null;
  readonly seq: number;
}

// The longest field, a thousand aliases, in its widest encoding.
const MAX_CURSOR_LENGTH = 8_000_000;

/** A position as an opaque text, bound to the question that the page answered. */
export function toCursor(position: Position, question: string): string {
  const body = JSON.stringify([position.value, position.seq]);
  return Buffer.from(`${seal(body, question)}${body}`).toString("base64url");
}

/** @throws RegistryError `invalid_input` for a cursor that is broken or of another list. */
export function parseCursor(cursor: unknown, question: string): Position {
  const position =
    typeof cursor === "string" && cursor.length <= MAX_CURSOR_LENGTH ? unseal(cursor, question) : undefined;
  if (position !== undefined) return position;
  throw invalidInput(
    "cursor",
    "The cursor does not belong to this list. Use next_cursor of a page with the same filters and order.",
  );
}

function unseal(cursor: string, question: string): Position | undefined {
  const text = Buffer.from(cursor, "base64url").toString();
  const body = text.slice(8);
  if (text.slice(0, 8) !== seal(body, question)) return undefined;
  try {
    const [value, seq] = JSON.parse(body) as unknown[];
    const isValue = value === null || typeof value === "string" || typeof value === "number";
    return isValue && Number.isSafeInteger(seq) ? { value, seq: seq as number } : undefined;
  } catch {
    return undefined;
  }
}

// FNV-1a, 32 bits (draft-eastlake-fnv): it tells a mix-up, not an attack; a forged cursor only pages.
function seal(body: string, question: string): string {
  let sum = 0x811c9dc5;
  const bytes = Buffer.from(`${question}\n${body}`);
  // By index: an iterator takes as long as all else that a cursor takes.
  for (let at = 0; at < bytes.length; at++) sum = Math.imul(sum ^ bytes[at]!, 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}
