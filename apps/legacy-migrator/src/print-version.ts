import { readFileSync } from "node:fs";

import { write } from "./write.ts";

/** Prints the version of this package. */
export function printVersion(): void {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  write(1, `${manifest.version}\n`);
}
