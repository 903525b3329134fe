import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { onTestFinished } from "vitest";

import type { BridgeEvent } from "../../src/bridge/bridge-event.ts";
import { environment, PROGRAM } from "../run-program.ts";

const PATIENCE_MS = 40_000;

/** `cortex-migrate bridge`, running. */
export class BridgeProcess {
  readonly events: BridgeEvent[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #err = "";

  constructor(home: string, list: string, to: string) {
    const words = [...PROGRAM, "bridge", list, "--to", to, "--json"];
    this.#child = spawn(process.execPath, words, { env: environment(home), stdio: "pipe" });
    // When all that it said has been read, too.
    this.#exited = once(this.#child, "close");
    createInterface({ input: this.#child.stdout! }).on("line", (line) =>
      this.events.push(JSON.parse(line) as BridgeEvent),
    );
    this.#child.stderr!.on("data", (chunk) => (this.#err += String(chunk)));
    onTestFinished(() => void this.#child.kill("SIGKILL"));
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const patience = Date.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (Date.now() > patience || this.#child.exitCode !== null) {
        throw new Error(`Never came: ${what}. ${this.#err}\n${JSON.stringify(this.events, null, 1)}`);
      }
      await sleep(20);
    }
  }

  /** Waits for an event of a kind, the n-th one. */
  async untilEvent(kind: BridgeEvent["kind"], count = 1): Promise<void> {
    await this.until(`${count} × ${kind}`, () => this.all(kind).length >= count);
  }

  all<K extends BridgeEvent["kind"]>(kind: K): Extract<BridgeEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<BridgeEvent, { kind: K }>[];
  }

  /** Sends a signal. @returns the exit code, `null` where the signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    await this.#exited;
    return this.#child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
