import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, never>>;
  readonly result?: Readonly<Record<string, never>>;
  readonly error?: { readonly message: string };
}

/** The Chromium of this machine; `undefined` where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

/** A page in a headless Chromium, by its debugging protocol (https://chromedevtools.github.io/devtools-protocol/). */
export class BrowserPage implements AsyncDisposable {
  /** What it asked the network for. */
  readonly requested: string[] = [];
  /** What its console complains about, such as what the page's policy kept from it. */
  readonly complaints: string[] = [];
  readonly #profile = mkdtempSync(join(tmpdir(), "chromium-"));
  readonly #child;
  readonly #input: Writable;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #onLoaded: () => void = () => undefined;
  #session: string | undefined;
  #lastId = 0;

  private constructor(program: string) {
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"];
    this.#child = spawn(program, [...flags, `--user-data-dir=${this.#profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    this.#input = this.#child.stdio[3] as Writable;
    let text = "";
    (this.#child.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
      const messages = (text + chunk).split("\0");
      text = messages.pop()!;
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
  }

  /** Opens an address. */
  static async open(program: string, url: string): Promise<BrowserPage> {
    const page = new BrowserPage(program);
    const { targetId } = await page.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await page.#send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = sessionId;
    for (const domain of ["Page", "Network", "Log", "Runtime"]) await page.#send(`${domain}.enable`);
    const { promise, resolve } = Promise.withResolvers<void>();
    page.#onLoaded = resolve;
    await page.#send("Page.navigate", { url });
    await promise;
    return page;
  }

  /** Makes the window that wide, in pixels, and 800 high. */
  async resize(width: number): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
  }

  /** What an expression of JavaScript is in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#send("Runtime.evaluate", { expression, returnByValue: true });
    return (answer as { result?: { value?: unknown } }).result?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    await this.#send("Browser.close").catch(() => undefined);
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #take({ id, method, params, ...rest }: Message): void {
    if (id !== undefined) this.#waiting.get(id)?.(rest);
    const said = params as unknown as { request?: { url: string }; entry?: { text: string } } | undefined;
    if (method === "Page.loadEventFired") this.#onLoaded();
    if (method === "Network.requestWillBeSent") this.requested.push(said!.request!.url);
    if (method === "Log.entryAdded") this.complaints.push(said!.entry!.text);
  }

  async #send(method: string, params: object = {}): Promise<Readonly<Record<string, never>>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    const session =
      this.#session === undefined || method === "Browser.close" ? {} : { sessionId: this.#session };
    this.#input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result!;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
