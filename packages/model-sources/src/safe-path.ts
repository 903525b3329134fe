import { RegistryError } from "@cortex/model-db";

const MAX_LENGTH = 1024;
// File systems take 255; while a file is written, `.yml.moving.partial` stands behind the longest name.
const MAX_PART = 236;
// Windows opens these whatever stands behind the first dot.
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/i;
// No file system of Windows takes these, and a colon begins another stream of a file there.
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f<>:"\\|?*]/;

/**
 * Checks a path that somebody else chose, before a file is written there: one that leads out of its folder,
 * or means something else on another system, is refused.
 *
 * @param path relative, with `/` between its parts.
 * @returns the path as it was given.
 * @throws RegistryError `invalid_input`.
 */
export function safePath(path: string): string {
  const why = problemOf(path);
  if (why === undefined) return path;
  throw new RegistryError("invalid_input", `No file is written to ${JSON.stringify(path)}: ${why}.`);
}

function problemOf(path: string): string | undefined {
  if (path === "") return "it has no name";
  if (path.length > MAX_LENGTH) return `its path is longer than ${MAX_LENGTH} characters`;
  if (path.startsWith("/")) return "its path is absolute";
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return "its path leads elsewhere";
  if (parts.some((part) => Buffer.byteLength(part) > MAX_PART))
    return `a part of its path is longer than ${MAX_PART} bytes`;
  if (FORBIDDEN.test(path)) return "its path has characters that not every system takes";
  if (parts.some((part) => DEVICE.test(part))) return "Windows keeps that name for a device";
  if (parts.some((part) => part.endsWith(".") || part.endsWith(" ")))
    return "Windows drops what its path ends with";
  return undefined;
}
