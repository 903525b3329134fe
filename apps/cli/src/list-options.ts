import { parseListWords, type ListOptions, type ListWords } from "@cortex/model-db";

/** The flags that choose, order and cut a list of models. */
export interface ListFlags extends Omit<ListWords, "status" | "private"> {
  readonly status?: string;
  readonly private?: boolean;
}

/**
 * What the flags of a list ask the registry for.
 * @throws RegistryError `invalid_input` for an unknown field, operator or word
 */
export function toListOptions({ status, private: isPrivate, ...words }: ListFlags): ListOptions {
  return parseListWords(
    {
      ...words,
      ...(status === undefined ? {} : { status: [status] }),
      ...(isPrivate === undefined ? {} : { private: [String(isPrivate)] }),
    },
    (word) => `--${word.replaceAll("_", "-")}`,
  );
}
