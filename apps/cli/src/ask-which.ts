import { createInterface } from "node:readline";

import { formatSize, toVisible } from "@cortex/model-db";
import type { Candidate } from "@cortex/model-sources";

import { Interrupted } from "./errors.ts";
import { writeNote } from "./output/stream.ts";

/**
 * Asks on the terminal which of several models is wanted; an empty answer, and the end of input, means the first.
 *
 * @throws Interrupted for Ctrl-C
 */
export async function askWhich(candidates: readonly Candidate[]): Promise<Candidate | undefined> {
  writeNote("There are several models:");
  for (const [index, { path, quantization, sizeBytes }] of candidates.entries()) {
    const number = String(index + 1).padStart(3);
    writeNote(toVisible(`${number}  ${quantization ?? ""}  ${formatSize(sizeBytes)}  ${path}`));
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (;;) {
      const answer = await new Promise<string>((resolve, reject) => {
        terminal.question(`Which one, 1 to ${candidates.length}? [1] `, resolve);
        terminal.once("close", () => resolve(""));
        terminal.once("SIGINT", () => {
          writeNote("");
          reject(new Interrupted());
        });
      });
      if (answer.trim() === "") return candidates[0];
      const chosen = /^\d+$/.test(answer.trim()) ? candidates[Number(answer) - 1] : undefined;
      if (chosen !== undefined) return chosen;
    }
  } finally {
    terminal.removeAllListeners("close");
    terminal.close();
  }
}
