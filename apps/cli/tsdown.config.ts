import { app, calledFunctions } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

// What is asked for most, of a registry with more models than a page, after another list.
const MODELS = Array.from({ length: 60 }, (_, index) => ({
  model_id: `model-${index}`,
  source_type: "local",
  size_bytes: 4_700_000_000,
  tags: ["chat"],
}));
const aList = calledFunctions({
  env: { CORTEX_DB: "registry.db" },
  before: [
    { args: ["apply", "-"], input: MODELS.map((model) => JSON.stringify(model)).join("\n") },
    { args: ["list"] },
  ],
  run: { args: ["list"] },
});

const config: UserConfig = {
  ...app,
  inputOptions: { ...(app.inputOptions as object), preserveEntrySignatures: false },
  // All that main needs, in one chunk: each file that `cortex list` loads costs time.
  outputOptions: { codeSplitting: { groups: [{ name: "main", tags: ["$initial"] }] } },
  plugins: [app.plugins, aList],
};

export default config;
