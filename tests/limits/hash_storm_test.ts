/**
 * A storm of logins with right passwords: one client fills the hash queue, and all others get in all the same. Counts
 * turns of the queue, not time.
 *
 * @module
 */
import assert from "node:assert/strict";
import bcrypt from "bcrypt";
import { signDevice } from "../../auth/limits/known_devices.ts";
import { HashQueue, MOST_WAITING } from "../../auth/runtime/hash_queue.ts";
import { createApp } from "../../routes/app.ts";
import { type Service, test } from "../kit/service.ts";

const CONNECTIONS = 175, COOKIES = 24, OTHERS = 8, AT_ONCE = 2;
const STORM = "the password of the storm";

/** Whose logins storm, and where everybody seems to come from. */
interface Storm {
  accounts: number;
  /** The address of the storm, and of each of the others. */
  from: (who: "storm" | number) => string | undefined;
  settings: Record<string, string>;
}

const OWN_NETWORKS = (who: "storm" | number) => who === "storm" ? "198.51.100.1" : `203.0.113.${who}`;
const STORMS: Record<string, Storm> = {
  "one account, limits only counted": { accounts: 1, from: OWN_NETWORKS, settings: { THROTTLE: "observe" } },
  "one account": { accounts: 1, from: OWN_NETWORKS, settings: {} },
  "eight accounts": { accounts: 8, from: OWN_NETWORKS, settings: {} },
  "one account, behind a proxy that is not trusted": {
    accounts: 1,
    from: () => "127.0.0.1",
    settings: { THROTTLE: "observe" },
  },
  "one account, without client addresses": { accounts: 1, from: () => undefined, settings: { THROTTLE: "observe" } },
};

interface Cookie {
  email: string;
  device: string;
}

/** The device cookies of accounts of the storm. */
async function mint(service: Service, accounts: number): Promise<Cookie[]> {
  const cookies: Cookie[] = [];
  for (let account = 0; account < accounts; account++) {
    const email = `storm${account}@example.com`;
    await service.register(email, STORM);
    const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", email);
    for (let made = 0; made < COOKIES; made++) {
      cookies.push({ email, device: await signDevice(service.auth, { id, device_mark: null }, undefined) });
    }
  }
  return cookies;
}

for (const [name, { accounts, from, settings }] of Object.entries(STORMS)) {
  test(`A6: a storm with right passwords keeps nobody else out: ${name}`, async (service) => {
    const cookies = await mint(service, accounts);
    const emails = Array.from({ length: OTHERS }, (_, index) => `other${index}@example.com`);
    for (const email of emails) await service.register(email, `password of ${email}`);
    const begun: string[] = [], arrived: string[] = [], ends: (() => void)[] = [];
    const hashQueue = new HashQueue({
      most: AT_ONCE,
      bcrypt: async (password, salt) => {
        begun.push(password);
        await new Promise<void>((end) => ends.push(end));
        return await bcrypt.hash(password, salt);
      },
    });
    const { hash } = hashQueue;
    hashQueue.hash = (password, ...rest) => {
      arrived.push(password);
      return hash.call(hashQueue, password, ...rest);
    };
    const app = createApp({ ...service.auth, hashQueue });
    const statuses = new Map<number, number>();
    let storming = true, paused: (() => void)[] = [], most = 0;
    const connection = async (index: number): Promise<void> => {
      for (let sent = 0; storming; sent++) {
        const { email, device } = cookies[(index + sent) % cookies.length];
        const form = { email, password: STORM };
        const { status } = await service.requestTo(app, "POST", "/sessions", { form, device, ip: from("storm") });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        // Who was refused comes again after a while.
        if (status !== 200 && storming) await new Promise<void>((end) => paused.push(end));
      }
    };
    const storm = Array.from({ length: CONNECTIONS }, (_, index) => connection(index));
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    /** All of the storm waits for a turn or pauses. */
    const full = () => hashQueue.counts.waiting + hashQueue.counts.running + paused.length >= CONNECTIONS;
    const waits: number[] = [];
    try {
      for (const [index, email] of emails.entries()) {
        await until(full);
        most = Math.max(most, hashQueue.counts.waiting);
        const password = `password of ${email}`;
        const answer = service.requestTo(app, "POST", "/sessions", { form: { email, password }, ip: from(index + 1) });
        let answered = false;
        answer.finally(() => answered = true);
        await until(() => arrived.includes(password));
        const before = begun.length;
        while (!begun.includes(password) && !answered) {
          const next = begun.length + 1;
          ends.shift()?.();
          await until(() => begun.length >= next || answered);
        }
        waits.push(begun.length - before);
        // A third of those that were refused come again.
        paused.splice(0, Math.ceil(paused.length / 3)).forEach((end) => end());
        while (!answered) {
          ends.shift()?.();
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        const response = await answer;
        await response.body?.cancel();
        assert.equal(response.status, 200, `${email}: ${response.headers.get("error-code")}`);
      }
    } finally {
      storming = false;
      paused.forEach((end) => end());
      paused = [];
      const pump = setInterval(() => ends.splice(0).forEach((end) => end()), 1);
      await Promise.all(storm);
      clearInterval(pump);
    }
    // The limits on guesses alone hold one account below the size of the queue.
    assert.ok(accounts === 1 && settings.THROTTLE === undefined || most >= MOST_WAITING, `${most} waited`);
    assert.ok((statuses.get(200) ?? 0) > 0, "the storm's passwords are right");
    assert.deepEqual([hashQueue.counts.running, hashQueue.counts.waiting], [0, 0]);
    // Known devices within their share have three turns before a stranger has one.
    assert.ok(Math.max(...waits) <= 6, `turns that others waited for: ${waits.join(", ")}`);
  }, settings);
}

test("A6: a connection that has many IPv6 networks fills no more of the queue than one network", async (service) => {
  await service.register("other@example.com", STORM);
  const begun: string[] = [], ends: (() => void)[] = [];
  const hashQueue = new HashQueue({
    most: AT_ONCE,
    bcrypt: async (password, salt) => {
      begun.push(password);
      await new Promise<void>((end) => ends.push(end));
      return await bcrypt.hash(password, salt);
    },
  });
  const app = createApp({ ...service.auth, hashQueue });
  const logIn = async (email: string, password: string, ip: string): Promise<number> => {
    const response = await service.requestTo(app, "POST", "/sessions", { form: { email, password }, ip });
    await response.body?.cancel();
    return response.status;
  };
  // A /48 has 65,536 networks of 64 bits, and each guess is at another address.
  const storm = Array.from(
    { length: MOST_WAITING + AT_ONCE },
    (_, index) => logIn(`nobody${index}@example.com`, "a guess of the storm", `2001:db8:7:${index.toString(16)}::1`),
  );
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await until(() => hashQueue.counts.waiting === MOST_WAITING && begun.length === AT_ONCE);
  let status: number | undefined;
  const other = logIn("other@example.com", STORM, "2001:db8:8::1").then((given) => status = given);
  // Its place is that of one guess of the storm, which is refused.
  await Promise.race([Promise.race(storm), other]);
  const before = begun.length;
  while (status === undefined) {
    ends.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const turns = begun.indexOf(STORM) - before;
  const pump = setInterval(() => ends.splice(0).forEach((end) => end()), 1);
  const statuses = await Promise.all(storm);
  clearInterval(pump);
  assert.equal(status, 200);
  assert.ok(turns <= AT_ONCE, `it waited for ${turns} turns`);
  assert.equal(statuses.filter((given) => given === 503).length, 1);
});
