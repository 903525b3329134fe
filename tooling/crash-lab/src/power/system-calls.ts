/** What a traced process did to files, in the order in which it took effect. */
export interface SystemCall {
  readonly name: string;
  /** The arguments as strace prints them. */
  readonly args: readonly string[];
  readonly result: number;
  /** How many calls had ended when this one began: a sync covers no others. */
  readonly begunAfter: number;
}

/** The calls that {@link parseCalls} and the disk know: what changes names or contents, or makes them durable. */
export const TRACED_CALLS: readonly string[] = (
  "open openat creat close lseek dup dup2 dup3 write pwrite64 writev pwritev ftruncate copy_file_range " +
  "sendfile fsync fdatasync rename renameat renameat2 unlink unlinkat link linkat mkdir mkdirat rmdir"
).split(" ");

/**
 * Reads a trace of `strace -f -xx`: one line a call, or two for a call that another thread interrupted.
 * Calls that failed changed nothing and are left out.
 */
export function parseCalls(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const begun = new Map<string, { text: string; begunAfter: number }>();
  for (const line of trace.split("\n")) {
    const [, thread, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (thread === undefined || text === undefined) continue;
    if (text.endsWith("<unfinished ...>")) {
      begun.set(thread, { text: text.slice(0, -"<unfinished ...>".length), begunAfter: calls.length });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text)?.[0];
    const start = resumed === undefined ? { text: "", begunAfter: calls.length } : begun.get(thread);
    if (start === undefined) throw new Error(`The trace ends a call that it never began: ${text}`);
    begun.delete(thread);
    const whole = start.text + text.slice(resumed?.length ?? 0);
    // A signal or an exit.
    const call = /^(\w+)\((.*)\) += (-?\d+)/.exec(whole);
    if (call === null) continue;
    const result = Number(call[3]);
    if (result < 0) continue;
    calls.push({
      name: call[1]!,
      args: call[2]!.split(/, (?![^{[]*[}\]])/),
      result,
      begunAfter: start.begunAfter,
    });
  }
  return calls;
}

/** The text of an argument such as `"\x61\x62"`, or of all of them in a vector, as bytes. */
export function bytesOf(argument: string): Buffer {
  return Buffer.concat(
    Array.from(argument.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g), ([, hex]) =>
      Buffer.from(hex!.replaceAll("\\x", ""), "hex"),
    ),
  );
}
