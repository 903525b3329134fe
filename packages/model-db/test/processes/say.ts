/** Writes one line for the process that started this one: a word and a value as JSON. */
export function say(word: string, value?: unknown): void {
  process.stdout.write(value === undefined ? `${word}\n` : `${word} ${JSON.stringify(value)}\n`);
}
