/**
 * What the system knows of a process that runs: its memory and its open files. Linux only, as `.ci/run` is.
 *
 * @module
 */

/** Resident memory, in bytes. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(shown("cat", `/proc/${pid}/status`))![1]) * 1024;
}

/** How many files and sockets are open. */
export function openFiles(pid: number): number {
  return shown("ls", `/proc/${pid}/fd`).trim().split("\n").length;
}

/** Deno itself opens nothing in /proc of others unless it may do everything; a program may. */
function shown(command: string, path: string): string {
  const { success, stdout } = new Deno.Command(command, { args: [path], stderr: "null" }).outputSync();
  if (!success) throw new Error(`${path} cannot be read`);
  return new TextDecoder().decode(stdout);
}
