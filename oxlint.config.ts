import { defineConfig } from "oxlint";

const database = [
  { name: "kysely", message: "Queries live in packages/model-db." },
  { name: "better-sqlite3", message: "Databases are opened in packages/model-db." },
];
const kysely = database.filter(({ name }) => name === "kysely");

const apps = {
  group: ["cli", "hono-server", "legacy-migrator"].flatMap((app) => [`@cortex/${app}`, `@cortex/${app}/*`]),
  message: "Apps are started, never imported.",
};
const ours = { group: ["@cortex/*"], message: "packages/model-db imports nothing of ours." };

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node", "vitest"],
  categories: { correctness: "error", suspicious: "error" },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  rules: {
    "import/no-cycle": "error",
    // `fc.assert`, `path.join`: the default export is the documented way in.
    "import/no-named-as-default-member": "off",
    "no-restricted-imports": ["error", { paths: database, patterns: [apps] }],
    "typescript/consistent-type-imports": "error",
    // A property is an assertion, and so is a helper that is called one.
    "vitest/expect-expect": ["error", { assertFunctionNames: ["expect*", "fc.assert"] }],
    // A contract suite is handed its engine's own `test`.
    "vitest/no-standalone-expect": [
      "error",
      {
        additionalTestBlockFunctions: [
          "test",
          "test.for",
          "test.each",
          "test.skipIf",
          "test.runIf",
          "pure.for",
        ],
      },
    ],
    // The second argument of `expect` says what went wrong.
    "vitest/valid-expect": ["error", { maxArgs: 2 }],
    // Rows of SQL and parsed JSON get their type at the edge, by an assertion or not at all.
    "typescript/no-unsafe-type-assertion": "off",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  },
  overrides: [
    {
      files: ["packages/model-db/**"],
      rules: { "no-restricted-imports": ["error", { patterns: [ours] }] },
    },
    {
      // The old store is SQLite too, and is read as the old program left it.
      files: ["apps/legacy-migrator/src/legacy/**", "**/test/**"],
      rules: { "no-restricted-imports": ["error", { paths: kysely, patterns: [apps] }] },
    },
    {
      // A bin does nothing but load the program.
      files: ["apps/*/bin/**"],
      rules: { "import/no-unassigned-import": "off" },
    },
    {
      files: ["packages/model-db/test/**", "tooling/{bench,crash-lab,demo,old-program}/**", "**/*.config.ts"],
      rules: { "no-restricted-imports": ["error", { patterns: [apps] }] },
    },
  ],
});
