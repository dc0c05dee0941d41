/**
 * The stop of a service with a client that never finishes its request.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dataFolder, register, startService } from "../kit/process/started_service.ts";

Deno.test("F18, long: a request with an endless body delays a stop by ten seconds at most", async () => {
  await using data = await dataFolder();
  await using service = await startService(data.options);
  await register(service, "a@b.cd", "secret");
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(service.url).port) });
  const head = "POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";
  await connection.write(new TextEncoder().encode(`${head}Content-Length: 100\r\n\r\nemail=`));
  // The service has read it when it answers a later request.
  await (await service.send("GET", "/")).text();
  const { code } = await service.stop();
  assert.equal(code, 0);
  assert.deepEqual([...Deno.readDirSync(data.folder)].map((entry) => entry.name), ["bienvenue.db"]);
  assert.equal(data.rows("SELECT id FROM users").length, 1);
});
