import { flagOf } from "./setting-names.ts";
import { SETTINGS, type Setting, type Settings } from "./settings.ts";

const WIDTH = 100;
const LEFT = 30;

const INTRODUCTION = `cortex-server: the registry of the models on this machine as an HTTP service

It answers OpenAI, Ollama and old cortex clients, and has routes of its own: /docs on the running
server describes them all. It makes the registry where there is none yet. Stop it with Ctrl-C.

Start here
  cortex-server
      at http://127.0.0.1:39281, for this machine only
  cortex-server --backup /mnt/backup/cortex
      the same, and nothing is ever lost
  cortex-server --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
      for other machines too, for those who have a token
`;

const ALSO: readonly (readonly [string, string])[] = [
  ["--config <file>", "Read settings from this JSON file (default: server.json in cortex's data folder)"],
  ["--print-config", "Print the settings as such a file, and end"],
  ["-h, --help", "Print this, and end"],
  ["-v, --version", "Print the version, and end"],
];

const MORE = [
  'Every flag can be an environment variable too, and a key of the configuration file: for --log-level debug, CORTEX_LOG_LEVEL=debug and {"log_level": "debug"}. A flag wins over a variable, that over the file. What can be repeated is a list in the file, and has commas between in a variable.',
  "Signals: SIGTERM and SIGINT end it once everything under way is answered, a second one at once; SIGHUP reads the configuration and the certificate anew.",
  "Exit codes: 0 ended as it was told, 1 failed, 2 misused, 3 not found, 5 refused to listen unprotected, 6 the registry is damaged.",
];

/** What `--help` prints. */
export function helpText(): string {
  const all = Object.entries(SETTINGS) as [keyof Settings, Setting<unknown>][];
  const groups = [...new Set(all.map(([, { group }]) => group))].map((group) => {
    const rows = all
      .filter(([, setting]) => setting.group === group)
      .map(([name, { value = "", help, isList }]): [string, string] => [
        `${flagOf(name)} ${value}`.trim(),
        isList === true ? `${help}; can be repeated` : help,
      ]);
    return `${group}\n${toRows(rows)}`;
  });
  return [
    INTRODUCTION,
    ...groups,
    `And\n${toRows(ALSO)}`,
    ...MORE.map((text) => `${wrap(text, WIDTH).join("\n")}\n`),
  ].join("\n");
}

function toRows(rows: readonly (readonly [string, string])[]): string {
  return rows
    .map(
      ([name, text]) =>
        `  ${name.padEnd(LEFT)}  ${wrap(text, WIDTH - LEFT - 4).join(`\n${" ".repeat(LEFT + 4)}`)}\n`,
    )
    .join("");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
