import type { UserConfig } from "tsdown";

import { asciiOnly } from "./ascii-only.ts";
import { bundledSqlite } from "./bundled-sqlite.ts";
import { inlinedRuntime } from "./inlined-runtime.ts";
import { thirdPartyLicenses } from "./third-party-licenses.ts";

export { calledFunctions } from "./called-functions.ts";

// What is loaded late here may be loaded early there: which it is, each program decides by what it imports.
// And a build on a busy machine is a good one.
const checks = { ineffectiveDynamicImport: false, pluginTimings: false };

/** A package that others import: types beside the code, dependencies left to the package manager. */
export const library: UserConfig = {
  entry: "src/index.ts",
  platform: "node",
  dts: { sourcemap: true },
  sourcemap: true,
  hash: false,
  exports: { devExports: "@cortex/source" },
  publint: true,
  attw: { enabled: true, profile: "esm-only" },
  checks,
  failOnWarn: true,
};

/**
 * A program that installs alone and starts fast: everything is bundled except the native SQLite binding.
 * Every `import()` stays a chunk of its own, so that a verb loads what it needs and nothing else.
 */
export const app: UserConfig = {
  entry: "src/main.ts",
  platform: "node",
  // CommonJS starts faster: the loader of ES modules touches every export of the built-in ones.
  format: "cjs",
  checks: { ...checks, legacyCjs: false },
  minify: true,
  dts: false,
  hash: false,
  deps: { alwaysBundle: [/./], onlyBundle: false },
  inputOptions: { resolve: { conditionNames: ["@cortex/source", "node", "default"] } },
  plugins: [bundledSqlite(), inlinedRuntime(), asciiOnly(), thirdPartyLicenses()],
  publint: true,
  failOnWarn: true,
};
