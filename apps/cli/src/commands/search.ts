import { list, type ListVerbOptions } from "./list.ts";

/** What `cortex search` takes. */
export interface SearchOptions extends ListVerbOptions {
  readonly text: readonly string[];
  /** On Hugging Face instead of in the registry. */
  readonly remote?: boolean;
}

/** Prints the models that have all the words in their id, alias, repository, tags or notes; or repositories to pull from. */
export async function search(options: SearchOptions): Promise<void> {
  if (options.remote === true) return (await import("../search-remote.ts")).searchRemote(options);
  await list({ ...options, search: options.text.join(" ") });
}
