import { createInterface } from "node:readline";

import { Declined, Interrupted, MisuseError } from "./errors.ts";
import { isTerminal, writeNote } from "./output/stream.ts";

/**
 * Refuses at once where nobody could answer a question.
 * @throws MisuseError without a terminal
 */
export function requireTerminal(what: string): void {
  if (isTerminal(0) && isTerminal(2)) return;
  throw new MisuseError(
    `${what} needs a yes, and there is no terminal to ask at: add -y, or --dry-run to look first.`,
  );
}

/**
 * Asks a question on the terminal; anything but `y` or `yes` is a no, and so is the end of input.
 * @throws Declined for a no, Interrupted for Ctrl-C
 */
export async function confirm(question: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      const endLine = (): void => {
        terminal.removeAllListeners("close");
        writeNote("");
      };
      terminal.question(`${question} [y/N] `, (text) => {
        terminal.removeAllListeners("close");
        resolve(text);
      });
      terminal.once("close", () => {
        endLine();
        resolve("");
      });
      terminal.once("SIGINT", () => {
        endLine();
        reject(new Interrupted());
      });
    });
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new Declined("Nothing was changed.");
  } finally {
    terminal.close();
  }
}
