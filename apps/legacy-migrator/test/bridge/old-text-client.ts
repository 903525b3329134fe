import { createInterface } from "node:readline";

import { OldTextStore, type Accidents } from "./old-text-store.ts";

// The old program as a process: a command a line, `["add", id, yml, accidents?]`, and its answer a line.

type Command =
  | ["add", id: string, yml: string, accidents?: Accidents]
  | ["alias", handle: string, alias: string, accidents?: Accidents]
  | ["delete", handle: string, accidents?: Accidents]
  | ["list"];

const store = new OldTextStore(process.argv[2]!);
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as Command))}\n`);
}

function answer(command: Command): unknown {
  switch (command[0]) {
    case "add":
      return store.add(command[1], command[2], fatal(command[3]));
    case "alias":
      return store.alias(command[1], command[2], fatal(command[3]));
    case "delete":
      return store.delete(command[1], fatal(command[2]));
    case "list":
      return store.load();
  }
}

// A write that ends early ends with the process.
function fatal(accidents: Accidents = {}): Accidents {
  return { ...accidents, then: () => process.kill(process.pid, "SIGKILL") };
}
