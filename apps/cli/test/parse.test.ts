import { expect, test } from "vitest";

import { parse } from "../src/parse.ts";

const cases: readonly [argv: string, verb: string, options: Record<string, unknown>][] = [
  ["list", "list", {}],
  ["ls", "list", {}],
  ["models list", "list", {}],
  ["models ls --json", "list", { json: true }],
  ["--db /tmp/x.db list -q", "list", { db: "/tmp/x.db", quiet: true }],
  ["--limit 5 list", "list", { limit: 5 }],
  ["list --limit 5 --limit 7", "list", { limit: 7 }],
  ["list --branch 007 --branch 1e3", "list", { branch: ["007", "1e3"] }],
  ["list --branch=007 --author-repo=", "list", { branch: ["007"], authorRepo: [""] }],
  ["list --source-type local --source-type huggingface", "list", { sourceType: ["local", "huggingface"] }],
  ["list --status running --total", "list", { status: "running", total: true }],
  [
    "list --tag a --tag b --any-tag c --without-tag d",
    "list",
    { tag: ["a", "b"], anyTag: ["c"], withoutTag: ["d"] },
  ],
  ["list --no-tag a --no-tag b", "list", { withoutTag: ["a", "b"] }],
  ["list --filter size_bytes>4GB --filter alias=", "list", { filter: ["size_bytes>4GB", "alias="] }],
  ["list --sort size_bytes:desc --cursor -abc", "list", { sort: "size_bytes:desc", cursor: "-abc" }],
  ["list --no-color", "list", { color: false }],
  ["list --no-color --color", "list", { color: true }],
  ["show a b", "show", { models: ["a", "b"] }],
  ["get 007", "show", { models: ["007"] }],
  ["inspect -- -a --json", "show", { models: ["-a", "--json"] }],
  ["search tiny llama", "search", { text: ["tiny", "llama"] }],
  ["add 1e3 --size-bytes 4.7GB", "add", { modelId: "1e3", sizeBytes: 4_700_000_000 }],
  [
    "add m --size-bytes 1.5GiB --parameter-count 7.24B",
    "add",
    { modelId: "m", sizeBytes: 1_610_612_736, parameterCount: 7_240_000_000 },
  ],
  ["add m --context-length 32Ki --pinned", "add", { modelId: "m", contextLength: 32_768, pinned: true }],
  ["add m --no-alias", "add", { modelId: "m", alias: false }],
  ["add m --no-alias --alias x", "add", { modelId: "m", alias: "x" }],
  ["add m --metadata a=1 --metadata b:=2", "add", { modelId: "m", metadata: ["a=1", "b:=2"] }],
  [
    "update m --alias= --size-bytes= --no-pinned",
    "update",
    { models: ["m"], alias: "", sizeBytes: null, pinned: false },
  ],
  ["update m --owner ann --no-private", "update", { models: ["m"], owner: "ann", private: false }],
  ["list --owner ann --owner= --private", "list", { owner: ["ann", ""], private: true }],
  [
    "user add ann --role editor --only 007",
    "user",
    { action: "add", name: "ann", role: "editor", only: "007" },
  ],
  [
    "token create ann --name 1e3 --expires 52w --scope read --scope run",
    "token",
    { action: "create", subject: "ann", name: "1e3", expires: 31_449_600_000, scope: ["read", "run"] },
  ],
  ["update m --expected-row-version 3", "update", { models: ["m"], expectedRowVersion: 3 }],
  ["alias m 007", "alias", { model: "m", alias: "007" }],
  [
    "alias m --add a --remove b --repoint c",
    "alias",
    { model: "m", add: ["a"], remove: ["b"], repoint: ["c"] },
  ],
  ["tag m +chat -old new", "tag", { model: "m", changes: ["+chat", "-old", "new"] }],
  ["tag -q m -- -q", "tag", { quiet: true, model: "m", changes: ["-q"] }],
  ["rm -yq a b", "rm", { yes: true, quiet: true, models: ["a", "b"] }],
  ["delete a --dry-run", "rm", { dryRun: true, models: ["a"] }],
  ["remove a --yes=false", "rm", { yes: false, models: ["a"] }],
  ["start m --ttl 90s --pid 7 --join", "start", { model: "m", ttl: 90_000, pid: 7, join: true }],
  ["start m --ttl 1h30m --holder 5", "start", { model: "m", ttl: 5_400_000, holder: "5" }],
  ["stop m --token 12", "stop", { model: "m", token: 12 }],
  ["ps", "ps", {}],
  [
    "history m --since 2026-01-31 --kind created",
    "history",
    { model: "m", since: 1_769_817_600_000, kind: ["created"] },
  ],
  ["history --until 2026-01-31T12:00:00+01:00", "history", { until: 1_769_857_200_000 }],
  ["history m --at 1769817600000", "history", { model: "m", at: 1_769_817_600_000 }],
  ["watch --after 0 --json", "watch", { after: 0, json: true }],
  ["export -", "export", { file: "-" }],
  ["apply - --prune --dry-run", "apply", { file: "-", prune: true, dryRun: true }],
  ["migrate down --to 3 -y", "migrate", { action: "down", to: 3, yes: true }],
  ["completion zsh", "completion", { shell: "zsh" }],
];

test.each(cases)("cortex %s", (argv, verb, options) => {
  const invocation = parse(argv.split(" "));
  expect(invocation).toMatchObject({ kind: "verb", name: verb });
  expect("options" in invocation && invocation.options).toEqual(options);
});

test("an empty value stands for itself and does not take the next word", () => {
  expect(parse(["update", "m", "--alias", "", "--notes="])).toMatchObject({
    options: { alias: "", notes: "" },
  });
});

test("a value with equals signs, blanks and line ends stays as it is", () => {
  expect(parse(["add", "m", "--notes", "a = b\n == c"])).toMatchObject({
    options: { notes: "a = b\n == c" },
  });
});

test("help and version are asked for anywhere", () => {
  expect(parse([])).toMatchObject({ kind: "help" });
  expect(parse(["models"])).toMatchObject({ kind: "help" });
  expect(parse(["list", "-h"])).toMatchObject({ kind: "help", command: { name: "list" } });
  expect(parse(["help", "rm"])).toMatchObject({ kind: "help", command: { name: "rm" } });
  expect(parse(["-v"])).toEqual({ kind: "version" });
});

const misuses: readonly [argv: string, message: RegExp][] = [
  ["lsit", /no verb "lsit"/],
  ["__proto__", /no verb "__proto__"/],
  ["models constructor", /no verb "constructor"/],
  ["list --sorce-type x", /no flag "--sorce-type"/],
  ["list --__proto__=1", /no flag "--__proto__"/],
  ["list --constructor.prototype=1", /no flag/],
  ["list -x", /no flag "-x"/],
  ["show -1", /behind --/],
  ["list --json=1", /--json is a switch/],
  ["list --limit", /--limit needs a value/],
  ["list --tag --json", /--tag needs a value/],
  ["list --limit -5", /--limit needs a whole number.*"-5"/],
  ["list --limit 1.5", /whole number/],
  ["list --limit 1e3", /whole number/],
  ["list --limit 99999999999999999999", /whole number/],
  ["start m --pid 0", /--pid needs a whole number, 1 or more, not "0"/],
  ["backup b --keep 0", /--keep needs a whole number, 1 or more/],
  ["watch --after -1", /--after needs a whole number, 0 or more/],
  ["show", /<models> is missing/],
  ["list extra", /"extra" is one argument too many/],
  ["add m --size-bytes -1", /size/],
  ["add m --size-bytes 4.7XB", /size/],
  ["add m --size-bytes 1.5", /size/],
  ["add m --parameter-count seven", /whole number/],
  ["start m --ttl 90", /duration/],
  ["start m --ttl -5s", /duration/],
  ["history --since 1969-12-31", /1970 to 9999/],
  ["history --since 10000-01-01", /1970 to 9999/],
  ["history --since 2026-02-30", /1970 to 9999/],
  ["history --since yesterday", /1970 to 9999/],
];

test.each(misuses)("cortex %s is a misuse", (argv, message) => {
  expect(() => parse(argv.split(" "))).toThrow(message);
});
