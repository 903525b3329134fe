import { homedir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { defaultDataFolder, defaultRegistryLocation } from "../../src/index.ts";

describe.skipIf(process.platform !== "linux")("the default location on Linux", () => {
  const data = join(homedir(), ".local", "share", "cortex");

  test.for([
    [{}, data],
    [{ CORTEX_HOME: "/home" }, "/home"],
    [{ CORTEX_HOME: "" }, data],
    [{ XDG_DATA_HOME: "/xdg" }, "/xdg/cortex"],
    [{ XDG_DATA_HOME: "" }, data],
    [{ CORTEX_HOME: "/home", XDG_DATA_HOME: "/xdg" }, "/home"],
  ] as const)("of the data folder with %j is %s", ([env, expected]) => {
    expect(defaultDataFolder(env)).toBe(expected);
  });

  test.for([
    [{}, join(data, "registry.db")],
    [{ CORTEX_DB: "/some.db" }, "/some.db"],
    [{ CORTEX_DB: "", CORTEX_HOME: "/home" }, "/home/registry.db"],
    [{ CORTEX_DB: "/some.db", CORTEX_HOME: "/home" }, "/some.db"],
  ] as const)("of the registry with %j is %s", ([env, expected]) => {
    expect(defaultRegistryLocation(env)).toBe(expected);
  });
});
