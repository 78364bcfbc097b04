// A machine without some program, on a host that has it.
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../lab/node.ts";

/** From now on starting it fails there as if it did not exist: execve(2) gives ENOENT for a missing interpreter too. */
export async function hideProgram(machine: LabNode, program: string): Promise<void> {
  const cover = path.join(machine.files.folder, `no-${program}`);
  writeFileSync(cover, "#!/nonexistent\n");
  chmodSync(cover, 0o755);
  const { stdout } = await machine.exec(["bash", "-c", `readlink -f "$(command -v ${program})"`]);
  await machine.exec(["mount", "--bind", cover, stdout.trim()]);
}
