import { toVisible } from "@cortex/model-db";

import { isAscii } from "./width.ts";

/** A text from outside, fit for one line of a terminal: as `toVisible`, whose pattern takes long to compile. */
export function toPrintable(text: string): string {
  return isAscii(text) ? text : toVisible(text);
}
