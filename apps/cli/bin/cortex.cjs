#!/usr/bin/env node
// Must parse on any Node: it is what tells an old one that it is too old.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  // Compiled code is kept beside the package, where that can be written: a third of what a start costs.
  require("node:module").enableCompileCache(`${__dirname}/../node_modules/.cache/cortex`);
  require("../dist/main.cjs");
} else {
  process.exitCode = 2;
  process.stderr.write(`cortex needs Node 22.18 or newer; this is Node ${process.versions.node}\n`);
}
