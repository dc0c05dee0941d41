/**
 * A certificate authority for the tests, made by openssl. Must not be trusted by anything else.
 *
 * @module
 */

/** A certificate authority that can sign certificates for test servers. */
export interface Authority extends AsyncDisposable {
  /** File of its certificate, PEM. */
  file: string;
  /**
   * Makes a certificate for these names (`DNS:localhost`, `IP:127.0.0.1`). Returns the files of certificate and key.
   */
  sign(names: string): Promise<{ certificate: string; key: string }>;
}

/** Makes an authority in a new folder. */
export async function makeAuthority(): Promise<Authority> {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-ca-" });
  const file = `${folder}/ca.pem`, key = `${folder}/ca.key`;
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...ec, "-keyout", key, "-out", file, "-days", "2", "-subj", "/CN=Test authority");
  let count = 0;
  return {
    file,
    sign: async (names) => {
      const own = `${folder}/${count++}`;
      await Deno.writeTextFile(`${own}.ext`, `subjectAltName=${names}\n`);
      await openssl("req", ...ec, "-keyout", `${own}.key`, "-out", `${own}.csr`, "-subj", "/CN=Test server");
      const by = ["-CA", file, "-CAkey", key, "-CAcreateserial", "-days", "2", "-extfile", `${own}.ext`];
      await openssl("x509", "-req", "-in", `${own}.csr`, "-out", `${own}.pem`, ...by);
      return { certificate: `${own}.pem`, key: `${own}.key` };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
}
