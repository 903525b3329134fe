import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect } from "vitest";

import { takeOverRights } from "../../src/maintenance/durable-files.ts";
import { test } from "../sqlite/folder.ts";

const NOBODY = 65_534;
const STRANGERS = 54_321;

/** Who owns a file, and what its mode is. */
function rightsOf(path: string): { uid: number; gid: number; mode: string } {
  const { uid, gid, mode } = statSync(path);
  return { uid, gid, mode: (mode & 0o7777).toString(8) };
}

function asNobody(work: () => void): void {
  process.setegid!(NOBODY);
  process.seteuid!(NOBODY);
  try {
    work();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}

describe.runIf(process.geteuid?.() === 0)(
  "the rights of a file that takes another one's place (as root)",
  () => {
    test("are the other one's, with its owner and its group", ({ folder }) => {
      const path = join(folder, "new");
      writeFileSync(path, "", { mode: 0o600 });
      takeOverRights(path, { uid: NOBODY, gid: STRANGERS, mode: 0o100660 });
      expect(rightsOf(path)).toEqual({ uid: NOBODY, gid: STRANGERS, mode: "660" });
    });

    test("go to no other group where its own cannot be given", ({ folder }) => {
      chmodSync(folder, 0o777);
      const path = join(folder, "new");
      asNobody(() => {
        writeFileSync(path, "", { mode: 0o600 });
        takeOverRights(path, { uid: 0, gid: STRANGERS, mode: 0o100664 });
      });
      expect(rightsOf(path)).toEqual({ uid: NOBODY, gid: NOBODY, mode: "604" });
    });
  },
);
