// Ends BIRDs that nobody speaks for any more: known by their files alone.
import { type BirdPorts, createBird } from "./bird.ts";

/** Ends every BIRD of ours that has files in this folder, all of them even when one does not end (then it rejects). */
export async function endBirds(
  ports: BirdPorts,
  folder: string,
  { except = [] }: { readonly except?: readonly string[] } = {},
): Promise<void> {
  const found = (await ports.files.list(folder)).flatMap((file) => /^([\w-]+)\.(?:ctl|conf)$/.exec(file)?.[1] ?? []);
  const names = [...new Set(found)].filter((name) => !except.includes(name));
  const ends = await Promise.allSettled(names.map((name) => end(ports, folder, name)));
  const failed = ends.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function end(ports: BirdPorts, folder: string, name: string): Promise<void> {
  const metric = /^ {2}metric (\d+);$/m.exec((await ports.files.read(`${folder}/${name}.conf`)) ?? "")?.[1];
  await createBird(ports, { folder, name, kernelMetric: metric === undefined ? null : Number(metric) }).stop();
}
