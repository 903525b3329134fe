import { list } from "./commands/list.ts";

// At once, because nothing that is still open may hold up the shell.
void run(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));

async function run(argv: readonly string[]): Promise<number> {
  try {
    const [word = ""] = argv;
    // What is asked for most, and has nothing to be read: the parser takes longer to load than the list.
    if (argv.length === 1 && (word === "list" || word === "ls")) {
      await list({});
      return 0;
    }
    // A completion happens at each press of a key, and its words are not yet a command line.
    if (word === "__complete") {
      const { complete } = await import("./commands/complete.ts");
      return await complete(argv.slice(1));
    }
    const { parse } = await import("./parse.ts");
    const invocation = parse(argv);
    if (invocation.kind === "verb") {
      const verb = await invocation.load();
      return (await verb(invocation.options as never)) ?? 0;
    }
    const { printHelp, printVersion } = await import("./help.ts");
    if (invocation.kind === "help") printHelp(invocation.cli, invocation.command);
    else printVersion();
    return 0;
  } catch (error) {
    const { report } = await import("./report.ts");
    return report(error, argv);
  }
}
