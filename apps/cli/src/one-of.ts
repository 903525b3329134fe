import { MisuseError } from "./errors.ts";
import { quote } from "./values.ts";

/**
 * A word out of a closed set.
 * @throws MisuseError naming the nearest
 */
export function oneOf<Word extends string>(flag: string, written: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === written);
  if (word !== undefined) return word;
  throw new MisuseError(`${flag} needs one of ${words.join(", ")}; not ${quote(written)}.`, {
    written,
    among: words,
  });
}
