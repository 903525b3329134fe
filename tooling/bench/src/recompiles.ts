import Database from "better-sqlite3";

/**
 * Tells which work makes SQLite compile a statement again that is prepared already, in the very build
 * that is used, which offers no counter of it. Every statement gets a call of `abs` where it changes no
 * plan. Once all are prepared, `abs` is given a second meaning with any number of arguments. That makes
 * no statement expire, as no function is replaced (https://www.sqlite.org/c3ref/create_function.html):
 * only a statement that is compiled later finds it. So each call of ours is a run of a statement that
 * was compiled again.
 */
export class RecompileWatch {
  // oxlint-disable-next-line typescript/unbound-method -- called with the connection that it is for
  readonly #prepare = Database.prototype.prepare;
  readonly #connections = new Set<Database.Database>();
  #statements = 0;
  #calls = 0;

  constructor() {
    const prepare = (connection: Database.Database, sql: string): Database.Statement => {
      const probed = withProbe(sql);
      if (probed !== sql) {
        this.#connections.add(connection);
        this.#statements++;
      }
      return this.#prepare.call(connection, probed);
    };
    Database.prototype.prepare = function (this: Database.Database, sql: string) {
      return prepare(this, sql);
    } as typeof Database.prototype.prepare;
  }

  /** How many statements were prepared so that they can be told. */
  get statements(): number {
    return this.#statements;
  }

  /** From here on, what is compiled again is noticed. */
  arm(): void {
    for (const connection of this.#connections) {
      connection.function("abs", { varargs: true, deterministic: true }, () => {
        this.#calls++;
        return 1;
      });
    }
  }

  /** How many runs of statements compiled again there were in some work. */
  async count(work: () => unknown): Promise<number> {
    this.#calls = 0;
    await work();
    return this.#calls;
  }

  /** Leaves better-sqlite3 as it was. */
  stop(): void {
    Database.prototype.prepare = this.#prepare;
  }
}

function withProbe(sql: string): string {
  if (/^\s*(update|delete) /i.test(sql) && / where /i.test(sql) && !/ returning /i.test(sql))
    return `${sql} and abs(-1) = 1`;
  if (!/^\s*select /i.test(sql) || /^\s*select distinct/i.test(sql)) return sql;
  // The column is worked out for each row, the limit once for each run, so also where there is no row.
  const probed = sql.replace(/select /i, "select abs(-1) as probe, ");
  if (/ limit cast\((?:\+\?|\d+) as integer\)$/i.test(probed))
    return probed.replace(/limit (cast\(.*)$/i, "limit abs(-1) * $1");
  return / limit [^)]*$/i.test(probed) ? probed : `${probed} limit 1000000 * abs(-1)`;
}
