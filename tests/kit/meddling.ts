/**
 * The rules' context with a database in which something else happens at a chosen moment, so that a race has one outcome.
 * Must not change what the statements do.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import type { DB } from "../../db/db.ts";
import type { Row, Value } from "../../db/engines/driver.ts";

/** How long a rule that holds a lock is given before it goes on, in milliseconds: whoever meddles may wait for it. */
const PATIENCE = 300;

/** Something else happens right before the first transaction of this context. */
export function beforeTransaction(auth: Auth, meddle: () => Promise<unknown>): Auth {
  let done = false;
  return {
    ...auth,
    db: changed(auth.db, {
      transaction: async (work) => {
        if (!done) {
          done = true;
          await meddle();
        }
        return await auth.db.transaction(work);
      },
    }),
  };
}

/** Something else begins inside the first transaction of this context, right after its first statement about users. */
export function afterUserIsRead(auth: Auth, meddle: () => Promise<unknown>): Auth {
  let done = false;
  const noting = (db: DB): DB =>
    changed(db, {
      get: async <T extends Row>(sql: string, ...values: Value[]): Promise<T | undefined> => {
        const row = await db.get<T>(sql, ...values);
        if (!done && /\busers\b/.test(sql)) {
          done = true;
          await Promise.race([meddle(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
        }
        return row;
      },
    });
  return {
    ...auth,
    db: changed(auth.db, { transaction: (work) => auth.db.transaction((db) => work(noting(db))) }),
  };
}

function changed(db: DB, methods: Partial<Pick<DB, "transaction" | "get">>): DB {
  return new Proxy(db, {
    get: (target, name) => {
      if (name in methods) return methods[name as keyof typeof methods];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
