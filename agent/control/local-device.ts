// What this machine chooses for a mesh once and then keeps: the interface's name, its port, its key.
import type { DeviceEpoch } from "#schema/desired-state";
import type { MeshId, WireGuardPublicKey } from "#schema/ids";
import type { MeshFile } from "#schema/local/agent-files";
import { parseAlias, toInterfaceName } from "../net/interface-name.ts";
import type { ObservedState } from "../reconcile/observed-state.ts";
import { isBlank } from "../reconcile/ownership.ts";
import type { LocalDevice } from "../reconcile/to-desired-device.ts";
import type { Files } from "../system/files.ts";
import type { Random } from "../system/random.ts";
import { choosePort } from "../wireguard/choose-port.ts";
import { ensurePrivateKey, readPublicKey, replacePrivateKey } from "../wireguard/private-key.ts";

export interface DeviceChooser {
  /** @param known what the disk cache remembers, else null */
  choose(mesh: MeshToPrepare, taken: readonly LocalDevice[]): Promise<ChosenDevice>;
  /** Another key, in the same file. */
  replaceKey(device: ChosenDevice): Promise<ChosenDevice>;
  /** Removes the mesh's key for good. */
  removeKey(meshId: MeshId): Promise<void>;
}

export interface MeshToPrepare {
  readonly meshId: MeshId;
  readonly name: string;
  readonly known: Pick<MeshFile, "interfaceName" | "listenPort" | "deviceEpoch"> | null;
}

export interface ChosenDevice extends LocalDevice {
  /** Another one than before when the interface has to be made; null: it is there, and what it was called is not known any more. */
  readonly deviceEpoch: DeviceEpoch | null;
  /** The state folder took no key, so it lives until the next boot only. */
  readonly keyProblem: Error | null;
  /** No interface of the mesh was there when this was chosen: nothing can flow through one before we make it. */
  readonly isNew: boolean;
}

export interface DeviceChooserPorts {
  readonly files: Files;
  readonly observe: () => Promise<ObservedState>;
  readonly isUdpPortFree: (port: number) => Promise<boolean>;
  readonly random: Random;
  readonly stateDir: string;
  readonly runDir: string;
}

export function createDeviceChooser(ports: DeviceChooserPorts): DeviceChooser {
  const { files, random, stateDir, runDir } = ports;
  const toKeyFiles = (meshId: MeshId) => ({
    kept: `${stateDir}/keys/${meshId}.key`,
    spare: `${runDir}/keys/${meshId}.key`,
  });

  return {
    async choose({ meshId, name, known }, taken) {
      const { links } = await ports.observe();
      // An interface of ours that is up already stays as it is, also when the cache that knew of it is lost.
      const existing = links.find((link) => parseAlias(link.alias) === meshId);
      const takenNames = new Set([
        ...taken.map(({ interfaceName }) => interfaceName),
        // A blank one was begun by us and never finished: it is taken up again under its name.
        ...links.filter((link) => !isBlank(link)).map((link) => link.name),
      ]);
      const takenPorts = new Set(taken.map(({ listenPort }) => listenPort));
      const runningPort = existing?.wireguard.state === "present" ? existing.wireguard.device.listenPort : 0;
      return {
        interfaceName: known?.interfaceName ?? existing?.name ?? toInterfaceName(name, takenNames),
        deviceEpoch: existing ? (known?.deviceEpoch ?? null) : toDeviceEpoch(random),
        isNew: existing === undefined,
        listenPort: known?.listenPort ?? (runningPort || (await choosePort(takenPorts, ports.isUdpPortFree))),
        ...(await ensureKey(files, toKeyFiles(meshId))),
      };
    },
    replaceKey: async (device) => ({
      ...device,
      publicKey: await replacePrivateKey(files, device.privateKeyFile),
    }),
    async removeKey(meshId) {
      const { kept, spare } = toKeyFiles(meshId);
      await files.remove(kept);
      await files.remove(spare);
    },
  };
}

const toDeviceEpoch = (random: Random): DeviceEpoch => Math.floor(random() * 36 ** 10).toString(36);

interface KeyFiles {
  readonly kept: string;
  /** In memory (/run): where the key goes while the disk takes nothing. */
  readonly spare: string;
}

async function ensureKey(
  files: Files,
  { kept, spare }: KeyFiles,
): Promise<Pick<ChosenDevice, "publicKey" | "privateKeyFile" | "keyProblem">> {
  const keptKey = await tryRead(files, kept);
  if (keptKey !== null) return { publicKey: keptKey, privateKeyFile: kept, keyProblem: null };
  const spareKey = await tryRead(files, spare);
  try {
    await files.makeFolder(toFolder(kept));
    if (spareKey !== null) await files.writeAtomic(kept, (await files.read(spare)) ?? "");
    const publicKey = await ensurePrivateKey(files, kept);
    return { publicKey, privateKeyFile: kept, keyProblem: null };
  } catch (error) {
    const keyProblem = error instanceof Error ? error : new Error(String(error));
    if (spareKey !== null) return { publicKey: spareKey, privateKeyFile: spare, keyProblem };
    await files.makeFolder(toFolder(spare));
    const publicKey = await ensurePrivateKey(files, spare);
    return { publicKey, privateKeyFile: spare, keyProblem };
  }
}

async function tryRead(files: Files, file: string): Promise<WireGuardPublicKey | null> {
  try {
    return await readPublicKey(files, file);
  } catch {
    // A file that can't be read is as good as none: a new key is made elsewhere and told to everybody.
    return null;
  }
}

const toFolder = (file: string): string => file.slice(0, file.lastIndexOf("/"));

/** What a mesh's file keeps of it. */
export const toKept = ({ interfaceName, listenPort, deviceEpoch }: ChosenDevice) => ({
  interfaceName,
  listenPort,
  ...(deviceEpoch === null ? {} : { deviceEpoch }),
});
