/** A person pressed Ctrl-C: exit code 130, which is 128 and the number of SIGINT. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}
