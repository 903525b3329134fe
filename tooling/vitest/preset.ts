import { defineConfig } from "vitest/config";

/**
 * The vitest configuration of every package: tests live in `test/`, and packages of this workspace are
 * imported from their sources, without a build.
 */
export default defineConfig({
  ssr: { resolve: { conditions: ["@cortex/source"] } },
  // Tests start many processes of their own: more workers than this only take turns.
  test: { include: ["test/**/*.test.ts"], maxWorkers: 2, testTimeout: 30_000, hookTimeout: 60_000 },
});
