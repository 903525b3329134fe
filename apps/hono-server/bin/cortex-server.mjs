#!/usr/bin/env node
// Must parse on any Node: it is what tells an old one that it is too old.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  void import("../dist/main.mjs");
} else {
  process.exitCode = 2;
  process.stderr.write(`cortex-server needs Node 22.18 or newer; this is Node ${process.versions.node}\n`);
}
