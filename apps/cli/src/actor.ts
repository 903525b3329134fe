import { userInfo } from "node:os";

/** The name of the person at the terminal, as the system knows it; `unknown` where it knows none. */
export function userName(): string {
  try {
    return userInfo().username || "unknown";
  } catch {
    // A container may run under a number that has no name.
    return process.env["USER"] ?? process.env["USERNAME"] ?? "unknown";
  }
}

/** Who the changes of this process are attributed to. */
export function actor(): string {
  return `cli:${userName()}`;
}
