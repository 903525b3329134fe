import { app } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

const config: UserConfig = {
  ...app,
  inputOptions: { ...(app.inputOptions as object), preserveEntrySignatures: false },
  // All that main needs, in one chunk: each file that `cortex list` loads costs time.
  outputOptions: { codeSplitting: { groups: [{ name: "main", tags: ["$initial"] }] } },
};

export default config;
