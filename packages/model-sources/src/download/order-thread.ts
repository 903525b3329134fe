import { Worker } from "node:worker_threads";

type Reply<Answer> =
  | { readonly answer: Answer }
  | { readonly failure: { readonly code: string | undefined; readonly message: string } };

/** Does what it is ordered, one after another, in a thread of its own. */
export class OrderThread<Setting, Order, Answer> implements AsyncDisposable {
  readonly #worker: Worker;
  /** Those whose orders are not answered, in the order they were given in. */
  #waiting: PromiseWithResolvers<Answer>[] = [];
  #death: Error | undefined;

  /**
   * @param prepare makes, in the thread, what does the orders. It goes there as text: nothing from outside of it is there.
   * @param setting what it is called with.
   */
  constructor(prepare: (setting: Setting) => (order: Order) => Answer, setting: Setting) {
    // As text, so that it needs no file of its own beside a bundle.
    const text = `(${serve.toString()})(${prepare.toString()})`;
    this.#worker = new Worker(text, { eval: true, workerData: setting });
    this.#worker.on("message", (reply: Reply<Answer>) => {
      const waiting = this.#waiting.shift();
      if ("answer" in reply) waiting?.resolve(reply.answer);
      else waiting?.reject(Object.assign(new Error(reply.failure.message), { code: reply.failure.code }));
    });
    this.#worker.once("error", (error) => this.#end(error));
  }

  /** Gives an order. @throws what doing it threw, with its message and `code`, and where the thread has ended. */
  async order(order: Order): Promise<Answer> {
    if (this.#death !== undefined) throw this.#death;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.push(waiting);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(order);
    return waiting.promise;
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
    this.#end(new Error("the thread was ended"));
  }

  #end(death: Error): void {
    this.#death ??= death;
    for (const { reject } of this.#waiting) reject(this.#death);
    this.#waiting = [];
  }
}

/** Runs in the thread. */
function serve(prepare: (setting: unknown) => (order: unknown) => unknown): void {
  const { workerData, parentPort } = process.getBuiltinModule("node:worker_threads");
  const work = prepare(workerData);
  const reply = (what: Reply<unknown>): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    parentPort?.postMessage(what);
  };
  parentPort?.on("message", (order: unknown) => {
    try {
      reply({ answer: work(order) });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      reply({ failure: { code, message } });
    }
  });
}
