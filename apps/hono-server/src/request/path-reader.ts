import { invalidInput } from "./invalid-input.ts";

/**
 * What reads the parameters in a path, each decoded once. The last may hold slashes, as they are or as `%2F`.
 *
 * @param template as OpenAPI writes it: `/v1/models/{model_id}`.
 * @returns a function of a path that fits; it throws RegistryError `invalid_input` where a part is no
 *   percent-encoded UTF-8.
 */
export function pathReader(template: string): (path: string) => Record<string, string> {
  const parts = template.split("/");
  const names = parts.map((part) => (part.startsWith("{") ? part.slice(1, -1) : undefined));
  const last = parts.length - 1;
  return (path) => {
    const parameters: Record<string, string> = {};
    let start = 0;
    for (const [index, name] of names.entries()) {
      const slash = index === last ? -1 : path.indexOf("/", start);
      const end = slash === -1 ? path.length : slash;
      if (name !== undefined) parameters[name] = decode(path.slice(start, end));
      start = end + 1;
    }
    return parameters;
  };
}

function decode(raw: string): string {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalidInput("path", "The path is not percent-encoded UTF-8.");
  }
}
