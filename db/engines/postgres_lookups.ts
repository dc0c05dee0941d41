/**
 * Asks PostgreSQL one statement many times in one message of the extended query protocol (PostgreSQL, 55.2.4
 * "Pipelining"): a Bind and an Execute for each row of values, and one Sync. The `pg` package can send many queries
 * without waiting, but then each has a Sync of its own: the server begins, ends and sends something for each.
 *
 * @module
 */
// @ts-types="@types/pg"
import pg from "pg";
import type { Row, Value } from "./driver.ts";

/** What the package calls on a query, and what a query may call. Its types leave these out. */
interface Connection {
  stream: { cork(): void; uncork(): void };
  parse(message: { name?: string; text: string }): void;
  bind(message: { statement?: string; values: (string | null)[] }): void;
  describe(message: { type: "P" }): void;
  execute(message: Record<never, never>): void;
  sync(): void;
}
interface Handlers {
  hasBeenParsed(connection: Connection): boolean;
  submit(connection: Connection): null;
  handleRowDescription(message: { fields: { name: string; dataTypeID: number }[] }): void;
  handleDataRow(message: { fields: (string | null)[] }): void;
  handleCommandComplete(): void;
}

/**
 * The first row for each list of values, in their order. One error is the error of all. A named statement is prepared
 * once for each connection.
 */
export function lookUpAll(
  client: pg.PoolClient,
  { text, name }: { text: string; name?: string },
  values: readonly Value[][],
): Promise<(Row | undefined)[]> {
  const { promise, resolve, reject } = Promise.withResolvers<(Row | undefined)[]>();
  const rows: (Row | undefined)[] = [];
  let row: Row | undefined;
  let columns: [name: string, parse: (text: string) => Value][] = [];
  const query = new pg.Query({ text, name }, (error) => error ? reject(error) : resolve(rows));
  const handlers: Partial<Handlers> = {
    submit(this: Handlers, connection) {
      connection.stream.cork();
      if (!this.hasBeenParsed(connection)) connection.parse({ name, text });
      values.forEach((each, index) => {
        connection.bind({ statement: name, values: each.map((value) => value === null ? null : String(value)) });
        // All answers have the same columns.
        if (index === 0) connection.describe({ type: "P" });
        connection.execute({});
      });
      connection.sync();
      connection.stream.uncork();
      return null;
    },
    handleRowDescription({ fields }) {
      columns = fields.map(({ name, dataTypeID }) => [name, pg.types.getTypeParser(dataTypeID)]);
    },
    handleDataRow({ fields }) {
      row ??= Object.fromEntries(
        columns.map(([name, parse], index) => [name, fields[index] === null ? null : parse(fields[index])]),
      );
    },
    handleCommandComplete() {
      rows.push(row);
      row = undefined;
    },
  };
  client.query(Object.assign(query, handlers));
  return promise;
}
