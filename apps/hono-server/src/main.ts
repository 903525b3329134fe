import { writeFileSync } from "node:fs";

import { RegistryError } from "@cortex/model-db";

import { readCommandLine } from "./program/command-line.ts";
import { helpText } from "./program/help.ts";
import { readSettings } from "./program/read-settings.ts";
import { report } from "./program/report.ts";
import { keyOf } from "./program/setting-names.ts";
import type { Settings } from "./program/settings.ts";
import { version } from "./version.ts";

// At once, because nothing that is still open may hold up the end.
void run(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));

async function run(argv: readonly string[]): Promise<number> {
  try {
    const { wants, configFile, flags } = readCommandLine(argv);
    if (wants === "help") print(helpText());
    else if (wants === "version") print(`${version()}\n`);
    else {
      const read = () => readSettings(flags, configFile);
      const first = read();
      if (wants === "config") print(toConfigFile(first.settings));
      else await serve(first, read);
    }
    return 0;
  } catch (error) {
    return report(error);
  }
}

// `process.stdout` tells of a failure only when the program has ended.
function print(text: string): void {
  try {
    writeFileSync(1, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Whoever read has left.
    if (code !== "EPIPE") throw new RegistryError("io_error", `Standard output cannot be written (${code}).`);
  }
}

async function serve(
  first: ReturnType<typeof readSettings>,
  read: () => ReturnType<typeof readSettings>,
): Promise<void> {
  // What a help text does not need is not loaded for it.
  const [{ openLog }, { runServer }] = await Promise.all([
    import("./program/log.ts"),
    import("./program/run-server.ts"),
  ]);
  const log = openLog(first.settings.logLevel);
  try {
    await runServer(first, read, log.logger);
  } finally {
    await log.end();
  }
}

function toConfigFile(settings: Settings): string {
  const entries = Object.entries(settings) as [keyof Settings, unknown][];
  return `${JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [keyOf(name), value])), null, 2)}\n`;
}
