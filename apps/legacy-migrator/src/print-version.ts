import { readFileSync } from "node:fs";

/** Prints the version of this package. */
export function printVersion(): void {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  process.stdout.write(`${manifest.version}\n`);
}
