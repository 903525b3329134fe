import { app } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

/**
 * `cortex list` must cost little more than an empty program, and each file that is loaded costs time. So
 * all that it needs is in one chunk; what only other verbs need stays in chunks of their own.
 */
const HOT =
  /[\\/](?:node_modules[\\/]cac[\\/].*|apps[\\/]cli[\\/]src[\\/](?:(?:parse|cli|command-line|values|errors|open|list-options)|commands[\\/]list|output[\\/](?:stream|color|table|width|json|size|time))\.ts)$/;

const config: UserConfig = {
  ...app,
  outputOptions: { codeSplitting: { groups: [{ name: "hot", test: HOT }] } },
};

export default config;
