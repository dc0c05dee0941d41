/**
 * Two services that start on one port at the same moment: exactly one serves, whatever addresses and workers they have.
 * The other says which port is taken. Otherwise each would get some of the requests of the same clients.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Place, startContender } from "../kit/process/port_contender.ts";
import { freePort } from "../kit/process/postgres_server.ts";
import { dataFolder, launch, startInVain, startService } from "../kit/process/started_service.ts";
import { skipped } from "../kit/programs.ts";

/** Host and number of workers of the two. */
const PAIRS: [Omit<Place, "port">, Omit<Place, "port">][] = [
  [{ host: "127.0.0.1", workers: 2 }, { host: "127.0.0.1", workers: 2 }],
  [{ host: "0.0.0.0", workers: 2 }, { host: "127.0.0.1", workers: 2 }],
  [{ host: "0.0.0.0", workers: 2 }, { host: "0.0.0.0", workers: 2 }],
  [{ host: "127.0.0.1", workers: 1 }, { host: "127.0.0.1", workers: 2 }],
  [{ host: "0.0.0.0", workers: 1 }, { host: "127.0.0.1", workers: 2 }],
  [{ host: "127.0.0.1", workers: 1 }, { host: "127.0.0.1", workers: 1 }],
];
if (canListen("::1")) {
  PAIRS.push(
    [{ host: "::", workers: 2 }, { host: "127.0.0.1", workers: 2 }],
    [{ host: "::", workers: 2 }, { host: "0.0.0.0", workers: 2 }],
    [{ host: "::1", workers: 2 }, { host: "::1", workers: 2 }],
    [{ host: "::", workers: 2 }, { host: "::1", workers: 1 }],
  );
} else skipped("two services on one port by IPv6", "this machine has no address ::1");
const ROUNDS = 20;

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test(`B5: of two that try at the same moment exactly one serves, in ${ROUNDS} of ${ROUNDS} rounds of each pair`, async () => {
  await using one = startContender();
  await using other = startContender();
  for (const pair of PAIRS) {
    const label = pair.map(({ host, workers }) => `${host} with ${workers}`).join(", ");
    const port = freePort();
    const seen: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(
        [one, other].map((contender, index) => contender.tell(JSON.stringify({ ...pair[index], port }))),
      );
      const served = answers.filter((answer) => answer.startsWith("http://"));
      seen.push(served.length);
      for (const answer of answers) {
        if (served.includes(answer)) continue;
        assert.match(answer, new RegExp(`^PORT: another program listens on \\S+:${port}; stop it, or set PORT`), label);
      }
      await Promise.all([one, other].map((contender) => contender.tell("stop")));
    }
    assert.deepEqual(seen, Array(ROUNDS).fill(1), label);
  }
});

Deno.test("B5: addresses that do not conflict may have the same port", async () => {
  if (!canListen("::1")) return skipped("two addresses with one port", "this machine has no address ::1");
  await using one = startContender();
  await using other = startContender();
  const port = freePort();
  const answers = await Promise.all([
    one.tell(JSON.stringify({ host: "127.0.0.1", workers: 2, port })),
    other.tell(JSON.stringify({ host: "::1", workers: 2, port })),
  ]);
  assert.deepEqual(answers, [`http://127.0.0.1:${port}`, `http://[::1]:${port}`]);
});

Deno.test("B5: another program on the UDP port of the same number is named, with several workers", async () => {
  await using contender = startContender();
  const port = freePort();
  const other = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  const tell = (workers: number) => contender.tell(JSON.stringify({ host: "127.0.0.1", workers, port }));
  assert.match(await tell(2), new RegExp(`^PORT: another program uses the UDP port 127\\.0\\.0\\.1:${port}`));
  assert.equal(await tell(1), `http://127.0.0.1:${port}`, "one worker shares nothing");
  other.close();
});

for (const WORKERS of ["1", "2"]) {
  Deno.test(`B5: of two processes that start together one serves, and its port is free once it is killed [WORKERS=${WORKERS}]`, async () => {
    const PORT = String(freePort());
    await using one = await dataFolder({ PORT, WORKERS });
    await using other = await dataFolder({ PORT, WORKERS });
    const both = [one, other].map(({ options }) => launch(options));
    try {
      const refused = await Promise.any(both.map(async (service, index) => ({ index, ...await service.ended })));
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, new RegExp(`^PORT: another program listens on 127\\.0\\.0\\.1:${PORT};`, "m"));
      const winner = both[1 - refused.index];
      assert.equal(await winner.listens, `http://127.0.0.1:${PORT}`);
      assert.equal((await startInVain([one, other][refused.index].options)).code, 1, "it stays so");
      Deno.kill(-winner.child.pid, "SIGKILL");
      await winner.ended;
    } finally {
      for (const { child, ended } of both) await killed(child.pid, ended);
    }
    await using again = await startService(other.options);
    assert.equal(again.url, `http://127.0.0.1:${PORT}`);
  });
}

async function killed(pid: number, ended: Promise<unknown>): Promise<void> {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
  await ended;
}
