import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, onTestFinished, test } from "vitest";

import { SharedLooks } from "../../src/lane/shared-looks.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";

/** Counts how often it is looked for requests, and answers each with the counter that it was given. */
class Counting {
  looks = 0;
  readonly given: number[] = [];
  readonly #server: Server;
  readonly #listening: Promise<unknown>;

  constructor() {
    const shared = new SharedLooks();
    this.#server = createServer((incoming, outgoing) => {
      if (incoming.method === "GET") this.given.push(shared.for(incoming.socket, () => (this.looks += 1)));
      else shared.leaveOut(incoming.socket);
      outgoing.end();
    }).listen(0, "127.0.0.1");
    this.#listening = once(this.#server, "listening");
    onTestFinished(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
  }

  async connect(): Promise<Socket> {
    await this.#listening;
    const socket = connect((this.#server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    socket.resume();
    return socket;
  }

  async untilGiven(count: number): Promise<void> {
    while (this.given.length < count) await sleep(1);
  }
}

describe("a look", () => {
  test("is shared by requests that are all there before it", async () => {
    const counting = new Counting();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => counting.connect()));
    // Connections are accepted one by one.
    for (const socket of sockets) socket.write(GET);
    await counting.untilGiven(20);
    const before = counting.looks;
    // All are written before this process reads again.
    for (const socket of sockets) socket.write(GET);
    await counting.untilGiven(40);
    expect(counting.looks - before).toBeLessThan(20);
  });

  test("is made anew for each request that comes later", async () => {
    const counting = new Counting();
    const sockets = await Promise.all([counting.connect(), counting.connect()]);
    for (let count = 1; count <= 20; count++) {
      sockets[count % 2]!.write(GET);
      await counting.untilGiven(count);
      expect(counting.given.at(-1)).toBe(count);
    }
  });

  test("is made anew for a request that follows another on its connection", async () => {
    const counting = new Counting();
    const socket = await counting.connect();
    socket.write(GET.repeat(20));
    await counting.untilGiven(20);
    expect(counting.given).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  test("is made anew where a request with a body came before", async () => {
    const counting = new Counting();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => counting.connect()));
    for (const socket of sockets) socket.write(POST + GET);
    await counting.untilGiven(20);
    for (const socket of sockets) socket.write(GET);
    await counting.untilGiven(40);
    expect(counting.looks).toBe(40);
  });
});
