// Preloaded into a process: at its end, writes what it used to the file that BENCH_USAGE names.
const { writeFileSync } = require("node:fs");

process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  const usage = {
    cpuMicros: user + system,
    wallMicros: process.uptime() * 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  writeFileSync(process.env.BENCH_USAGE, JSON.stringify(usage));
});
