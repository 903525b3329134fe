import { commits, type Commit } from "@cortex/model-db";
import { Counter, Histogram, Registry } from "prom-client";

const BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

interface CommitMeter {
  readonly registry: Registry;
  tell(commit: Commit): void;
}

// Commits are told once for the whole process, and go on being counted when an app is made anew.
const METERS = new Map<string, CommitMeter>();

/**
 * What is known of the commits to a registry by this process, from the first call for it on.
 *
 * @param location the registry's.
 */
export function commitMetrics(location: string): Registry {
  if (METERS.size === 0) {
    commits.subscribe((commit) => METERS.get(commit.location)?.tell(commit));
  }
  const meter = METERS.get(location) ?? createMeter();
  METERS.set(location, meter);
  return meter.registry;
}

function createMeter(): CommitMeter {
  const registry = new Registry();
  const seconds = new Histogram({
    name: "cortex_commit_duration_seconds",
    help: "How long the disk took for a commit",
    buckets: BUCKETS_S,
    registers: [registry],
  });
  const committed = new Counter({
    name: "cortex_committed_changes_total",
    help: "How many changes were committed; those that come together share a commit",
    registers: [registry],
  });
  return {
    registry,
    tell({ durationMs, changes }) {
      seconds.observe(durationMs / 1000);
      committed.inc(changes);
    },
  };
}
