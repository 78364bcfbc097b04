// A question at the terminal whose answer is not shown.
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Null without a terminal, or when nothing was typed. */
export async function askSecret(name: string): Promise<string | null> {
  if (!process.stdin.isTTY) return null;
  process.stderr.write(`${name} (Enter: none): `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return (await terminal.question("")).trim() || null;
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}
