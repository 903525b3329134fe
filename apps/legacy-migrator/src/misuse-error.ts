/** The command was not said right: exit code 2. The message is for people. */
export class MisuseError extends Error {
  override readonly name = "MisuseError";
}
