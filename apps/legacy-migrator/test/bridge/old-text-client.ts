import { createInterface } from "node:readline";

import { OldTextStore, type Accidents } from "@cortex/old-program";

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
  if (command[0] === "add") return store.add(command[1], command[2], command[3]);
  if (command[0] === "alias") return store.alias(command[1], command[2], command[3]);
  return command[0] === "delete" ? store.delete(command[1], command[2]) : store.load();
}
