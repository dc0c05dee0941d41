/**
 * Memory and open files of a running process, as the system reports them. Linux only, like `.ci/run`.
 *
 * @module
 */

/** Resident memory, in bytes. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(shown("cat", `/proc/${pid}/status`))![1]) * 1024;
}

/** The number of open files and sockets. */
export function openFiles(pid: number): number {
  return shown("ls", `/proc/${pid}/fd`).trim().split("\n").length;
}

/** Deno may read another process's files in /proc only with all permissions; an external program may always. */
function shown(command: string, path: string): string {
  const { success, stdout } = new Deno.Command(command, { args: [path], stderr: "null" }).outputSync();
  if (!success) throw new Error(`${path} cannot be read`);
  return new TextDecoder().decode(stdout);
}
