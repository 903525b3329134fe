import { expect, test } from "vitest";

import { parseListWords, type ListWords } from "../../src/index.ts";

const asIs = (word: string): string => word;

test.each<[ListWords, object]>([
  [{}, {}],
  [{ sourceType: ["local", "remote"] }, { filter: { source_type: ["local", "remote"] } }],
  [{ status: ["running"] }, { filter: { status: 1 } }],
  [{ status: ["0", "RUNNING"] }, { filter: { status: [0, 1] } }],
  [{ owner: ["anna", ""], private: ["true"] }, { filter: { owner: ["anna", null], private: true } }],
  [{ branch: [""] }, { filter: { branch: null } }],
  [{ filter: ["size_bytes > 4GB", "size-bytes<=5GB"] }, { filter: { size_bytes: { gt: 4e9, le: 5e9 } } }],
  [{ filter: ["alias~tiny", "pinned=yes"] }, { filter: { alias: { like: "tiny" }, pinned: true } }],
  [{ tag: ["a"], anyTag: ["b"], withoutTag: ["c"] }, { tags: { all: ["a"], any: ["b"], none: ["c"] } }],
  [{ sort: "size_bytes:desc" }, { sort: { field: "size_bytes", direction: "desc" } }],
  [
    { search: "x", limit: 3, cursor: "c", total: true },
    { search: "x", limit: 3, cursor: "c", total: true },
  ],
])("%j asks for %j", (words, options) => {
  expect(parseListWords(words, asIs)).toEqual(options);
});

test.each<[ListWords, string]>([
  [{ sourceType: ["hugging"] }, "--source-type must be one of huggingface"],
  [{ status: ["idle"] }, "--status must be one of ready, running"],
  [{ filter: ["status=idle"] }, "--filter status must be one of"],
  [{ filter: ["size_bytes>4", "size_bytes>5"] }, "size_bytes> is there 2 times"],
  [{ filter: ["tag=a"] }, "use --tag, --any-tag and --without-tag"],
  [{ sort: "size_byte" }, "Did you mean size_bytes?"],
])("%j is refused in the words of who wrote it", (words, message) => {
  expect(() => parseListWords(words, (word) => `--${word.replaceAll("_", "-")}`)).toThrow(message);
});
