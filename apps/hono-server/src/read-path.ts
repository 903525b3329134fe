import type { RequestContext } from "./env.ts";
import { invalidInput } from "./validation.ts";

/**
 * The parameters in a path, each decoded once. The last may hold slashes, as they are or as `%2F`.
 *
 * @throws HttpError `invalid_input` where a part is no percent-encoded UTF-8.
 */
export function readPath(c: RequestContext, path: string): Record<string, string> {
  const wanted = path.split("/");
  const given = c.req.path.split("/");
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (!part.startsWith("{")) continue;
    const isLast = index === wanted.length - 1;
    const raw = isLast ? given.slice(index).join("/") : given[index]!;
    parameters[part.slice(1, -1)] = decode(raw);
  }
  return parameters;
}

function decode(raw: string): string {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalidInput("path", "The path is not percent-encoded UTF-8.");
  }
}
