/**
 * The rules' context with a database that runs another action at a chosen moment, so that a race has one outcome. Must
 * not change what the statements do.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import type { DB } from "../../db/db.ts";
import type { Row, Value } from "../../db/engines/driver.ts";

/**
 * How long a rule that holds a lock waits for the action, in milliseconds. The action may itself wait for that lock.
 */
const LOCK_WAIT = 300;

/** Runs the action right before the first transaction of this context. */
export function runBeforeTransaction(auth: Auth, action: () => Promise<unknown>): Auth {
  let done = false;
  return {
    ...auth,
    db: withMethods(auth.db, {
      transaction: async (work) => {
        if (!done) {
          done = true;
          await action();
        }
        return await auth.db.transaction(work);
      },
    }),
  };
}

/** Starts the action inside the first transaction of this context, right after its first statement about users. */
export function runAfterUserIsRead(auth: Auth, action: () => Promise<unknown>): Auth {
  let done = false;
  const withHook = (db: DB): DB =>
    withMethods(db, {
      get: async <T extends Row>(sql: string, ...values: Value[]): Promise<T | undefined> => {
        const row = await db.get<T>(sql, ...values);
        if (!done && /\busers\b/.test(sql)) {
          done = true;
          await Promise.race([action(), new Promise((resolve) => setTimeout(resolve, LOCK_WAIT))]);
        }
        return row;
      },
    });
  return {
    ...auth,
    db: withMethods(auth.db, { transaction: (work) => auth.db.transaction((db) => work(withHook(db))) }),
  };
}

function withMethods(db: DB, methods: Partial<Pick<DB, "transaction" | "get">>): DB {
  return new Proxy(db, {
    get: (target, name) => {
      if (name in methods) return methods[name as keyof typeof methods];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
