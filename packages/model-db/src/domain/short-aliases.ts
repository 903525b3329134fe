/**
 * The short aliases that the old program would try for an id, best first (`GenerateShortenedAlias` of
 * cortex.cpp): the last part without its extension, in ASCII lower case, then with ever more of the
 * path before it. When all are taken the last one is numbered: `-1`, `-2`, …
 *
 * @param modelId an id; it is split at `/`.
 * @returns one to four candidates; none where nothing is left of the id.
 * @example
 * ```ts
 * shortAliases("huggingface.co/TheBloke/Tiny-GGUF/tiny.Q4_K_M.gguf");
 * // ["tiny.q4_k_m", "Tiny-GGUF:tiny.q4_k_m", "TheBloke:Tiny-GGUF/tiny.q4_k_m",
 * //  "huggingface.co:TheBloke/Tiny-GGUF/tiny.q4_k_m"]
 * ```
 */
export function shortAliases(modelId: string): string[] {
  const parts = modelId.split("/");
  const file = parts.at(-1) ?? "";
  const dot = file.lastIndexOf(".");
  const stem = (dot < 0 ? file : file.slice(0, dot)).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const candidates = [stem];
  const [repository, author] = [parts.at(-2), parts.at(-3)];
  if (repository !== undefined) candidates.push(`${repository}:${stem}`);
  if (author !== undefined) candidates.push(`${author}:${repository}/${stem}`);
  if (parts.length >= 4) candidates.push(`${parts[0]}:${parts[1]}/${repository}/${stem}`);
  return stem === "" ? [] : candidates;
}
