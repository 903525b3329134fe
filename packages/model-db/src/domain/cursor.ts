import { hash } from "node:crypto";
import { invalidInput } from "../errors.ts";

/** Where a page ended: the sorted field's value there, and the row's sequence number. */
export interface Position {
  readonly value: string | number | null;
  readonly seq: number;
}

/** A position as an opaque text, bound to the question that the page answered. */
export function toCursor(position: Position, question: string): string {
  const body = JSON.stringify([position.value, position.seq]);
  return Buffer.from(`${seal(body, question)}${body}`).toString("base64url");
}

/** @throws RegistryError `invalid_input` for a cursor that is broken or of another list. */
export function parseCursor(cursor: unknown, question: string): Position {
  const refused = invalidInput(
    "cursor",
    "The cursor does not belong to this list. Use next_cursor of a page with the same filters and order.",
  );
  if (typeof cursor !== "string" || cursor.length > 16_384) throw refused;
  const text = Buffer.from(cursor, "base64url").toString();
  const body = text.slice(8);
  if (text.slice(0, 8) !== seal(body, question)) throw refused;
  const [value, seq] = JSON.parse(body) as [Position["value"], number];
  return { value, seq };
}

function seal(body: string, question: string): string {
  return hash("sha256", `${question}\n${body}`, "hex").slice(0, 8);
}
