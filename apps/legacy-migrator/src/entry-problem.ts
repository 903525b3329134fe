import { hasForbiddenCharacter } from "@cortex/model-db";

import type { LegacyEntry, Problem } from "./legacy/legacy-entry.ts";

const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const MAX_NAME_LENGTH = 1024;
const MAX_TEXT_LENGTH = 4096;

/** Why a record cannot become a model: its id, author, branch or path is nothing a registry can hold. */
export function entryProblem(entry: LegacyEntry): Problem | undefined {
  const name = nameProblem(entry.modelId);
  if (name !== undefined) {
    return {
      code: "id_refused",
      why: `The id ${name}.`,
      remedy: "Give the model another id in the old store and run again.",
    };
  }
  for (const [field, text] of [
    ["author", entry.author],
    ["branch", entry.branch],
    ["path", entry.configPath],
  ] as const) {
    if (text === null || (text.length <= MAX_NAME_LENGTH && PLAIN.test(text))) continue;
    const why =
      text.length > MAX_TEXT_LENGTH
        ? `has ${text.length.toLocaleString("en")} characters; at most ${MAX_TEXT_LENGTH.toLocaleString("en")} are possible`
        : hasForbiddenCharacter(text)
          ? "holds a control character or a broken one"
          : undefined;
    if (why === undefined) continue;
    return {
      code: `${field}_refused`,
      why: `The ${field} ${why}.`,
      remedy: `Correct the ${field} in the old store and run again; or add the model by hand.`,
    };
  }
  return undefined;
}

/** Why a text is no id and no alias, as the end of a sentence; `undefined` where it is one. */
export function nameProblem(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) {
    return `has ${name.length.toLocaleString("en")} characters; at most ${MAX_NAME_LENGTH.toLocaleString("en")} are possible`;
  }
  if (PLAIN.test(name)) return undefined;
  if (name === "") return "is empty";
  if (hasForbiddenCharacter(name)) return "holds a control character or a broken one";
  return name.trim() === name ? undefined : "begins or ends with a blank";
}
