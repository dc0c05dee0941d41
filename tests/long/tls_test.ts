/**
 * The connection to PostgreSQL: TLS and its checks with a real server, a test authority and passwords; and the
 * variables that hosting platforms set.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DB } from "../../db/db.ts";
import { DatabaseRefused } from "../../db/errors.ts";
import { type Authority, makeAuthority } from "../kit/certificates.ts";
import { runOn } from "../kit/command_line.ts";
import { openService } from "../kit/opened_service.ts";
import { debianBinaries, type PostgresServer, runAsPostgres, startPostgres } from "../kit/process/postgres_server.ts";
import { allowed, logIn, register, startInVain, startService } from "../kit/process/started_service.ts";
import { startProxy } from "../kit/process/tcp_proxy.ts";
import { testWith } from "../kit/programs.ts";
import { emptyDatabase } from "../kit/service.ts";

const PROGRAMS = [["openssl", "version"], [`${debianBinaries()}/initdb`, "--version"]];
/** A password with characters that are special in a URL or a shell. */
const PASSWORD = "p@ss:w%rd/?#& ü'\"";

/** A server with TLS whose role `app` needs the password. */
async function startTlsServer(authority: Authority, names: string): Promise<PostgresServer> {
  const server = await startPostgres(["ssl = off"]);
  await certify(server, authority, names);
  const rules = "host all app all scram-sha-256\nlocal all all trust\nhost all all all trust";
  await runAsPostgres("sh", ["-c", `printf '%s\n' "$1" > ${server.folder}/pg_hba.conf`, "sh", rules]);
  await runAsPostgres("sh", ["-c", `printf '%s\n' "ssl = on" >> ${server.folder}/postgresql.conf`]);
  await reload(server);
  const db = await DB.open(server.url, { folder: "/tmp" });
  await db.run(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
  await db.run("CREATE DATABASE app OWNER app");
  await db.close();
  return server;
}

/** Gives the server a certificate for these names. */
async function certify(server: PostgresServer, authority: Authority, names: string): Promise<void> {
  const { certificate, key } = await authority.sign(names);
  for (const [from, to] of [[certificate, "server.crt"], [key, "server.key"]]) {
    await runAsPostgres("sh", [
      "-c",
      `umask 077; printf '%s' "$1" > ${server.folder}/${to}`,
      "sh",
      await Deno.readTextFile(from),
    ]);
  }
}

/** Makes the server reload its files, and waits for that. */
async function reload(server: PostgresServer): Promise<void> {
  const db = await DB.open(server.url, { folder: "/tmp" });
  const loaded = async () => (await db.get("SELECT pg_conf_load_time()::text AS time"))!.time;
  const before = await loaded();
  await runAsPostgres(`${server.binaries}/pg_ctl`, ["-D", server.folder, "reload"]);
  while (await loaded() === before) await new Promise((resolve) => setTimeout(resolve, 20));
  await db.close();
}

/** Whether a connection by this URL is encrypted. */
async function encrypted(url: string): Promise<boolean> {
  const db = await DB.open(url, { folder: "/tmp" });
  try {
    const row = await db.get("SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    return row!.ssl === 1;
  } finally {
    await db.close();
  }
}

function refused(url: string, reason: RegExp): Promise<void> {
  return assert.rejects(
    DB.open(url, { folder: "/tmp" }),
    (error: Error) => error instanceof DatabaseRefused && reason.test(error.message),
  );
}

testWith(PROGRAMS, "V68: TLS to PostgreSQL follows sslmode, and is on by default for a remote server", async (t) => {
  await using authority = await makeAuthority();
  await using stranger = await makeAuthority();
  const server = await startTlsServer(authority, "DNS:localhost");
  const at = (host: string, parameters = "") => `postgres://bienvenue@${host}:${server.port}/postgres${parameters}`;
  const full = `?sslmode=verify-full&sslrootcert=${authority.file}`;
  try {
    await t.step("no TLS when sslmode is absent and the server is local", async () => {
      assert.equal(await encrypted(at("127.0.0.1")), false);
      assert.equal(await encrypted(at("localhost")), false);
    });
    await t.step("no TLS with sslmode=disable", async () => {
      assert.equal(await encrypted(at("localhost", "?sslmode=disable")), false);
    });
    await t.step("verify-full passes with the authority and the name of the certificate", async () => {
      assert.equal(await encrypted(at("localhost", full)), true);
    });
    await t.step("verify-full refuses a host name that is not in the certificate", async () => {
      await refused(at("127.0.0.1", full), /cannot be reached: .*(certificate|altnames|name)/i);
    });
    await t.step("verify-full refuses a certificate of an authority that it does not know", async () => {
      const unknown = /cannot be reached: .*(certificate|issuer).*; sslrootcert names .*, sslmode=require /i;
      await refused(at("localhost", "?sslmode=verify-full"), unknown);
      const wrong = `?sslmode=verify-full&sslrootcert=${stranger.file}`;
      await refused(at("localhost", wrong), /cannot be reached: .*(certificate|issuer)/i);
    });
    await t.step("require encrypts, and checks the authority when one is named", async () => {
      assert.equal(await encrypted(at("localhost", "?sslmode=require")), true);
      await refused(at("localhost", `?sslmode=require&sslrootcert=${stranger.file}`), /certificate|issuer/i);
    });
    await t.step("a missing file of an authority is named in the message", async () => {
      await refused(at("localhost", "?sslmode=verify-full&sslrootcert=/nowhere.pem"), /\/nowhere\.pem, cannot be read/);
    });
    await t.step(
      "V68: nothing but the wish for TLS travels in clear, not even after a first address failed",
      async () => {
        const sent: Uint8Array[] = [];
        await using proxy = startProxy(server.port);
        proxy.onRequest = (bytes) => sent.push(bytes) > 0;
        // This name also has an IPv6 address, where nothing listens.
        const url = `postgres://bienvenue:canary-password@localhost:${proxy.port}/postgres${full}`;
        assert.equal(await encrypted(url), true);
        assert.deepEqual([...sent[0]], [0, 0, 0, 8, 4, 210, 22, 47]);
        assert.deepEqual([...sent[1].subarray(0, 2)], [0x16, 0x03], "a TLS handshake follows");
        const text = sent.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
        for (const canary of ["bienvenue", "canary-password", "SELECT"]) assert.ok(!text.includes(canary), canary);
      },
    );
    await t.step("a certificate for the address serves the address", async () => {
      await certify(server, authority, "IP:127.0.0.1");
      await reload(server);
      assert.equal(await encrypted(at("127.0.0.1", full)), true);
      await refused(at("localhost", full), /cannot be reached: .*(certificate|altnames|name)/i);
    });
  } finally {
    await server.stop();
  }
});

Deno.test("V68: a server that refuses TLS, or sends more than its consent, gets nothing else in clear text", async () => {
  for (const answer of ["N", "SNOT ENCRYPTED"]) {
    const sent: number[] = [];
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using connection = await listener.accept();
      const buffer = new Uint8Array(1_024);
      for (let length; (length = await connection.read(buffer).catch(() => null)) !== null;) {
        if (sent.length === 0) await connection.write(new TextEncoder().encode(answer));
        sent.push(...buffer.subarray(0, length));
      }
    })();
    const { port } = listener.addr as Deno.NetAddr;
    await refused(`postgres://ada:s3cret@127.0.0.1:${port}/app?sslmode=verify-full`, /SSL/);
    await serving;
    assert.deepEqual(sent, [0, 0, 0, 8, 4, 210, 22, 47]);
  }
});

Deno.test("for a remote server a missing sslmode means verify-full", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.2", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    const buffer = new Uint8Array(1_024);
    const length = await connection.read(buffer);
    await connection.write(new TextEncoder().encode("N"));
    return [...buffer.subarray(0, length!)];
  })();
  const { port } = listener.addr as Deno.NetAddr;
  await refused(
    `postgres://ada:s3cret@127.0.0.2:${port}/app`,
    /does not support SSL.*; on a network of your own add sslmode=disable$/,
  );
  assert.deepEqual(await serving, [0, 0, 0, 8, 4, 210, 22, 47]);
});

testWith(PROGRAMS, "PG* variables alone select PostgreSQL, with a password and TLS", async (t) => {
  await using authority = await makeAuthority();
  const server = await startTlsServer(authority, "DNS:localhost");
  const env = {
    PGHOST: "localhost",
    PGPORT: String(server.port),
    PGUSER: "app",
    PGPASSWORD: PASSWORD,
    PGDATABASE: "app",
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: authority.file,
  };
  const flags = [`--allow-read=${[...allowed("read"), authority.file].join(",")}`];
  try {
    await t.step("the service starts and serves", async () => {
      const service = await startService({ env, flags });
      await register(service, "ada@example.com", "correct horse");
      await logIn(service, "ada@example.com", "correct horse");
      const { stderr } = await service.stop();
      assert.ok(stderr.includes(`postgres://localhost:${server.port}/app`), stderr);
      assert.ok(!stderr.includes(PASSWORD), stderr);
    });
    await t.step("DATABASE_URL takes precedence over the PG* variables", async () => {
      const service = await startService({ env: { ...env, DATABASE_URL: "sqlite::memory:" }, flags });
      await service.stop();
      assert.match(service.output.stderr, /sqlite::memory:/);
    });
    await t.step("a URL without a password takes PGPASSWORD, also the URL of a move's target", async () => {
      const { PGPASSWORD, PGSSLROOTCERT } = env;
      const url = `postgres://app@localhost:${server.port}/app?sslmode=verify-full&sslrootcert=${PGSSLROOTCERT}`;
      const service = await startService({ env: { PGPASSWORD, DATABASE_URL: url }, flags });
      await logIn(service, "ada@example.com", "correct horse");
      await service.stop();
      const from = await emptyDatabase("sqlite");
      await (await openService(from))[Symbol.asyncDispose]();
      // The login succeeded, because the refusal is about the rows of the target.
      const { code, noted } = await runOn(from, ["move", "--to", url], { settings: { PGPASSWORD } });
      assert.equal(code, 1);
      assert.match(noted, /the database to fill is not empty/);
    });
    for (const [what, wrong] of Object.entries({ "a wrong": "wrong", "no": "" })) {
      await t.step(`${what} password ends the start with a message`, async () => {
        const { code, stderr } = await startInVain({ env: { ...env, PGPASSWORD: wrong }, flags });
        assert.equal(code, 1);
        assert.match(
          stderr,
          /^Bienvenue does not start:\npostgres:\/\/localhost:\d+\/app cannot be reached: [^\n]*password[^\n]*\n$/,
        );
      });
    }
  } finally {
    await server.stop();
  }
});
