import { writeSync } from "node:fs";

import type { Acknowledgement } from "../power/recording.ts";

/** Says at once, before anything else happens, that a piece of work is done. */
export function acknowledge(acknowledgement: Acknowledgement): void {
  writeSync(1, `${JSON.stringify(acknowledgement)}\n`);
}
