import type { JsonText } from "./json-text.ts";

/** An answer, before it is put into words of Hono's or of Node's; it is not to be changed. */
export interface Answer {
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: Record<string, string>;
  /** What is longer can be bytes already; `null`: there is none. */
  readonly body: string | JsonText | Uint8Array<ArrayBuffer> | null;
}
