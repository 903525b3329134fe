import { list, type ListVerbOptions } from "./list.ts";

/** Prints the models that have all the words in their id, alias, repository, tags or notes. */
export async function search(options: ListVerbOptions & { readonly text: readonly string[] }): Promise<void> {
  await list({ ...options, search: options.text.join(" ") });
}
