import { describe, expect } from "vitest";

import { checkedFetch } from "../checked-fetch.ts";
import { test } from "../harness.ts";

describe("what is wrong is said in words that need no knowledge of the program", () => {
  test.for([
    [{ model_id: "m" }, "source_type: one of huggingface, cortex.so, local, remote is needed."],
    [{ source_type: "local" }, "model_id: a text is needed."],
    [
      { model_id: "m", source_type: "here" },
      "source_type: one of huggingface, cortex.so, local, remote is needed.",
    ],
    [{ model_id: "m", source_type: "local", size_bytes: "4GB" }, "size_bytes: a number is needed."],
    [{ model_id: "m", source_type: "local", size_bytes: 1.5 }, "size_bytes: a whole number is needed."],
    [
      { model_id: "m", source_type: "local", size_bytes: -1 },
      "size_bytes: a number of at least 0 is needed.",
    ],
    [
      { model_id: "m", source_type: "local", size_bytes: 1e30 },
      "size_bytes: a number of at most 9007199254740991 is needed.",
    ],
    [{ model_id: "m", source_type: "local", pinned: "yes" }, "pinned: true or false is needed."],
    [{ model_id: "m", source_type: "local", tags: "chat" }, "tags: a list is needed."],
    [{ model_id: "m", source_type: "local", tags: [1] }, "tags.0: a text is needed."],
    [{ model_id: "m", source_type: "local", metadata: [] }, "metadata: an object is needed."],
    [[], "The body: an object is needed."],
    [
      { modelid: "m", source_type: "local", model_id: "m" },
      "modelid is not known here. Did you mean model_id?",
    ],
    [{ model_id: "m", source_type: "local", flavour: 1 }, "flavour is not known here."],
    [
      { model_id: "m", source_type: "local", files: [{ path: "/m", role: "weights", rolle: 1 }] },
      "files.0.rolle is not known here.",
    ],
  ] as const)("%j", async ([body, message], { service }) => {
    const answer = await checkedFetch(`${service.url}/v1/models`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(await answer.json()).toMatchObject({ error: { code: "invalid_input", message } });
  });

  test("a broken line of many", async ({ service }) => {
    const answer = await checkedFetch(`${service.url}/v1/models:bulk-create`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: '{"model_id": "m", source_type: "local"}\n',
    });
    expect(await answer.text()).toMatch(/"What was sent is no JSON: .*position 18.*"/);
  });
});
