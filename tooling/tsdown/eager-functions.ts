import type { Rolldown } from "tsdown";

/**
 * Has the functions of a program's first file compiled with the file. V8 compiles a function when it is first called,
 * and Node keeps what was compiled with a file, not what came later: of a program that ends at once, each start would
 * compile nearly all of it again. What stands in parentheses V8 takes for called at once
 * (https://v8.dev/blog/preparser#pife), so each declaration becomes a variable, ahead of everything, as it was.
 */
export function eagerFunctions(): Rolldown.Plugin {
  return {
    name: "eager-functions",
    generateBundle(_options, bundle) {
      for (const output of Object.values(bundle)) {
        if (output.type === "chunk" && output.isEntry)
          output.code = withEager(output.code, this.parse(output.code));
      }
    },
  };
}

function withEager(code: string, { body }: ReturnType<Rolldown.PluginContext["parse"]>): string {
  const functions: string[] = [];
  let rest = "";
  let end = 0;
  for (const statement of body) {
    if (statement.type === "ExpressionStatement" && "directive" in statement && statement.directive)
      throw new Error("The first file begins with a directive, which has to stay first.");
    if (statement.type !== "FunctionDeclaration" || statement.id === null) continue;
    const { start, id } = statement;
    rest += code.slice(end, start);
    end = statement.end;
    functions.push(`${id.name}=(${code.slice(start, id.start)}${code.slice(id.end, end)})`);
  }
  return functions.length === 0 ? code : `var ${functions.join(",")};${rest}${code.slice(end)}`;
}
