import type { KnipConfig } from "knip";

const config: KnipConfig = {
  treatConfigHintsAsErrors: true,
  // Of the system; what needs one says so where it is missing.
  ignoreBinaries: ["mkfifo", "mount", "openssl", "script", "sha256sum", "strace", "taskset", "umount"],
  workspaces: {
    ".": {},
    "packages/model-db": { entry: ["test/**/*.test.ts", "test/processes/*.ts", "scripts/*.ts"] },
    "packages/model-sources": { entry: ["test/**/*.test.ts", "test/processes/*.ts"] },
    "apps/cli": {
      entry: ["src/main.ts", "test/**/*.test.ts"],
      // Imported by @cortex/model-db, which is bundled.
      ignoreDependencies: ["better-sqlite3"],
    },
    "apps/hono-server": {
      entry: ["deploy/*.mjs", "test/**/*.test.ts", "test/fuzz/{main,served}.ts", "test/processes/*.ts"],
    },
    "apps/legacy-migrator": { entry: ["src/main.ts", "test/**/*.test.ts"] },
    // Started, packed or measured, but not imported: the dependency has turbo build them first.
    "tooling/bench": {
      entry: ["src/http/servers/*", "src/processes/*", "test/processes/*", "test/**/*.test.ts"],
      ignoreDependencies: ["@cortex/cli", "@cortex/hono-server", "@cortex/legacy-migrator"],
    },
    "tooling/crash-lab": { entry: ["src/processes/*", "test/**/*.test.ts"] },
    "tooling/demo": {
      ignoreDependencies: ["@cortex/cli", "@cortex/hono-server", "@cortex/legacy-migrator"],
    },
    "tooling/pack-test": {
      ignoreDependencies: [
        "@cortex/cli",
        "@cortex/hono-server",
        "@cortex/legacy-migrator",
        "@cortex/model-db",
        "@cortex/model-sources",
      ],
    },
  },
};

export default config;
