// What the agent relies on the kernel and its tools to do. Run on the fake kernel always, on the real system where that is possible.
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";
import { createIp } from "../net/ip.ts";
import { createForwardGuard } from "../net/nft/forward-guard.ts";
import { readObservedState } from "../reconcile/observe.ts";
import { generateX25519KeyPair, toPublicKey } from "../system/x25519.ts";
import type { PeerSettings } from "../wireguard/peer-change.ts";
import { createWireGuard, type WireGuardPorts } from "../wireguard/wireguard.ts";

export interface SystemUnderTest extends WireGuardPorts {
  /** A folder for key files that both `files` and the commands see. */
  readonly folder: string;
  /** Makes a link of another kind, up, with this address. */
  addForeignLink(name: string, address: string): Promise<void>;
}

const A = "bkt-contract";
const sorted = (networks: readonly string[] | undefined) => [...(networks ?? [])].sort();
const NOTHING = { addAddresses: [], removeAddresses: [] };

export function describeSystem(name: string, open: () => Promise<SystemUnderTest>, close: () => Promise<void>): void {
  describe(name, () => {
    let system: SystemUnderTest;
    let ip: ReturnType<typeof createIp>;
    let wireguard: ReturnType<typeof createWireGuard>;
    let opened: Promise<SystemUnderTest> | undefined;

    beforeEach(async () => {
      opened ??= open();
      system = await opened;
      ip = createIp(system.exec);
      wireguard = createWireGuard(system);
      const links = await ip.readLinks();
      for (const link of links.filter(({ name }) => name.startsWith("bkt-")))
        await wireguard.removeInterface(link.name);
    });
    afterAll(close);

    const readLink = async () =>
      (
        await readObservedState({ ip, guard: createForwardGuard(system.exec), wireguard, files: system.files })
      ).links.find((link) => link.name === A);
    const readPeers = async () => {
      const device = await wireguard.readDevice(A);
      return Object.fromEntries((device?.peers ?? []).map((peer) => [peer.publicKey, peer]));
    };
    const peer = (number: number, publicKey = generateX25519KeyPair().publicKey): PeerSettings => ({
      publicKey,
      allowedIps: [`10.77.0.${number}/32`, `fd00:77::${number}/128`],
      endpoint: `127.0.0.1:${5_000 + number}` as Endpoint,
      keepaliveSeconds: 25,
    });
    async function writeKey(): Promise<{ file: string; publicKey: WireGuardPublicKey }> {
      const { privateKey } = generateX25519KeyPair();
      const file = `${system.folder}/key`;
      await system.files.writeAtomic(file, `${privateKey}\n`);
      return { file, publicKey: toPublicKey(privateKey) };
    }
    async function makeReady(): Promise<void> {
      await wireguard.createInterface(A);
      const { file } = await writeKey();
      await ip.configureLink(A, { isUp: true, addAddresses: ["10.77.0.1/24"], removeAddresses: [] });
      await wireguard.configureDevice(A, { privateKeyFile: file, listenPort: 51_877 });
    }
    const add = (...peers: PeerSettings[]) =>
      wireguard.changePeers(
        A,
        peers.map((one) => ({ kind: "add", peer: one, reason: "" })),
      );

    it("finds out where WireGuard runs, leaves nothing behind, and stumbles over no leftover", async () => {
      const names = async () => (await ip.readLinks()).map((link) => link.name);
      const before = await names();
      const backend = await wireguard.detectBackend(4_194_304);
      expect(backend).toMatch(/^(kernel|wireguard-go)$/);
      expect(await names()).toEqual(before);
      await system.addForeignLink("bkt-P4194304", "10.99.0.1/24");
      expect(await createWireGuard(system).detectBackend(4_194_304)).toBe(backend);
      expect(await names()).toEqual(before);
    });

    it("makes a blank interface that is down", async () => {
      await wireguard.createInterface(A);

      const link = await readLink();
      expect(link).toMatchObject({ isUp: false, alias: null, mtuBytes: 1_420, addresses: [] });
      expect(link?.wireguard).toMatchObject({ state: "present", device: { publicKey: null, peers: [] } });
    });

    it("sets mark, MTU, addresses and up in one go, and may be asked again", async () => {
      await wireguard.createInterface(A);
      const changes = { alias: "becket test", mtuBytes: 1_400, isUp: true, removeAddresses: [] } as const;

      await ip.configureLink(A, { ...changes, addAddresses: ["10.77.0.1/24", "fd00:77::1/64"] });
      await ip.configureLink(A, { ...changes, addAddresses: ["10.77.0.1/24", "fd00:77::1/64"] });

      const link = await readLink();
      expect(link).toMatchObject({ isUp: true, alias: "becket test", mtuBytes: 1_400 });
      const global = link?.addresses.filter(({ scope }) => scope === "global").map(({ address }) => address);
      expect(global).toEqual(["10.77.0.1", "fd00:77::1"]);
    });

    it("brings a route to the network of its address while it is up", async () => {
      await wireguard.createInterface(A);
      await ip.configureLink(A, { isUp: true, addAddresses: ["10.77.0.1/24"], removeAddresses: [] });

      const route = { destination: "10.77.0.0/24", device: A, protocol: "kernel" };
      expect(await ip.readRoutes("ipv4")).toContainEqual(route);
    });

    it("keeps the second address of a network when the first goes", async () => {
      await wireguard.createInterface(A);
      await ip.configureLink(A, { isUp: true, addAddresses: ["10.77.0.1/24", "10.77.0.2/24"], removeAddresses: [] });

      await ip.configureLink(A, { addAddresses: ["10.77.0.2/24"], removeAddresses: ["10.77.0.1/24"] });

      const global = (await readLink())?.addresses.filter(({ scope }) => scope === "global");
      expect(global?.map(({ address }) => address)).toEqual(["10.77.0.2"]);
    });

    it("does what it can when one change of several fails, and then says so", async () => {
      await wireguard.createInterface(A);
      const changes = { isUp: true, addAddresses: ["10.77.0.1/24"], removeAddresses: ["10.99.0.1/24"] } as const;

      await expect(ip.configureLink(A, changes)).rejects.toThrow(/Command failed/);

      expect((await readLink())?.isUp).toBe(true);
      expect((await readLink())?.addresses.map(({ address }) => address)).toContain("10.77.0.1");
    });

    it("takes its key from a file and listens on its port", async () => {
      await wireguard.createInterface(A);
      const { file, publicKey } = await writeKey();
      await ip.configureLink(A, { ...NOTHING, isUp: true });

      await wireguard.configureDevice(A, { privateKeyFile: file, listenPort: 51_877 });

      expect(await wireguard.readDevice(A)).toMatchObject({ publicKey, listenPort: 51_877 });
    });

    it("changes the port and keeps the peers", async () => {
      await makeReady();
      await add(peer(2));

      await wireguard.configureDevice(A, { listenPort: 51_878 });

      expect(await wireguard.readDevice(A)).toMatchObject({ listenPort: 51_878, peers: [{ keepaliveSeconds: 25 }] });
    });

    it("shows peers as they were set and sends an initiation at once to one with a keepalive", async () => {
      await makeReady();
      const [two, three] = [peer(2), { ...peer(3), keepaliveSeconds: 0, endpoint: null }];

      await add(two, three);

      const peers = await readPeers();
      expect(peers[two.publicKey]).toMatchObject({ ...two, latestHandshakeMs: null, receivedBytes: 0, sentBytes: 148 });
      expect(peers[three.publicKey]).toMatchObject({ ...three, sentBytes: 0 });
    });

    it("moves an allowed IP from one peer to another in the order of the arguments", async () => {
      await makeReady();
      const old = peer(2);
      const fresh = peer(2);
      await add(old);

      await add(fresh);

      const peers = await readPeers();
      expect(peers[fresh.publicKey]?.allowedIps).toEqual(fresh.allowedIps);
      expect(peers[old.publicKey]?.allowedIps).toEqual([]);
    });

    it("gives a peer more allowed IPs, which leave whoever has them", async () => {
      await makeReady();
      const [two, three] = [peer(2), peer(3)];
      await add({ ...two, allowedIps: [...two.allowedIps, "192.168.5.0/24"] }, three);
      const added = ["192.168.5.0/24", "192.168.6.0/24", "fd00:6::/64", "0.0.0.0/0"];

      await wireguard.changePeers(A, [
        {
          ...{ kind: "update", publicKey: three.publicKey, reason: "" },
          allowedIps: { added, all: [...three.allowedIps, ...added] },
        },
      ]);

      const peers = await readPeers();
      expect(sorted(peers[two.publicKey]?.allowedIps)).toEqual(sorted(two.allowedIps));
      expect(sorted(peers[three.publicKey]?.allowedIps)).toEqual(sorted([...three.allowedIps, ...added]));
    });

    it("takes allowed IPs from peers, which keep the others, and leaves nobody behind", async () => {
      await makeReady();
      const [two, three] = [peer(2), peer(3)];
      await add(
        { ...two, allowedIps: [...two.allowedIps, "192.168.5.0/24", "192.168.7.0/24"] },
        { ...three, allowedIps: [...three.allowedIps, "192.168.6.0/24", "fd00:6::/64"] },
      );

      const allowedIps = ["192.168.5.0/24", "192.168.6.0/24", "fd00:6::/64", "192.168.99.0/24"];
      await wireguard.changePeers(A, [{ kind: "withdraw", allowedIps, reason: "" }]);

      const peers = await readPeers();
      expect(Object.keys(peers)).toHaveLength(2);
      expect(sorted(peers[two.publicKey]?.allowedIps)).toEqual(sorted([...two.allowedIps, "192.168.7.0/24"]));
      expect(sorted(peers[three.publicKey]?.allowedIps)).toEqual(sorted(three.allowedIps));
    });

    it("moves and withdraws 5,000 allowed IPs", { timeout: 20_000 }, async () => {
      await makeReady();
      const [two, three] = [peer(2), peer(3)];
      await add(two, three);
      const many = Array.from({ length: 5_000 }, (_, index) => `172.16.${index >> 6}.${(index & 63) * 4}/30`);
      const give = ({ publicKey, allowedIps }: PeerSettings) =>
        wireguard.changePeers(A, [
          { kind: "update", publicKey, allowedIps: { added: many, all: [...allowedIps, ...many] }, reason: "" },
        ]);

      await give(two);
      await give(three);
      const moved = await readPeers();
      expect(moved[two.publicKey]?.allowedIps).toHaveLength(2);
      expect(moved[three.publicKey]?.allowedIps).toHaveLength(5_002);
      await wireguard.changePeers(A, [{ kind: "withdraw", allowedIps: many, reason: "" }]);

      const peers = await readPeers();
      expect(Object.keys(peers)).toHaveLength(2);
      expect(sorted(peers[three.publicKey]?.allowedIps)).toEqual(sorted(three.allowedIps));
    });

    it("removes a peer and adds it anew with one command, so that it begins a handshake", async () => {
      await makeReady();
      const two = peer(2);
      await add(two);

      await wireguard.changePeers(A, [
        { kind: "recreate", isNudge: true, peer: { ...two, keepaliveSeconds: 0 }, reason: "" },
      ]);

      // Begun at once, also where no keepalive is wanted.
      expect((await readPeers())[two.publicKey]).toMatchObject({ ...two, keepaliveSeconds: 0, sentBytes: 148 });
    });

    it("changes only what an update names", async () => {
      await makeReady();
      const two = peer(2);
      await add(two);
      const endpoint = "127.0.0.1:5999" as Endpoint;

      await wireguard.changePeers(A, [{ kind: "update", publicKey: two.publicKey, endpoint, reason: "" }]);

      expect((await readPeers())[two.publicKey]).toMatchObject({ ...two, endpoint });
    });

    it("leaves out a peer that has the device's own key", async () => {
      await makeReady();
      const own = (await wireguard.readDevice(A))?.publicKey as WireGuardPublicKey;

      await add(peer(2, own));

      expect(await readPeers()).toEqual({});
    });

    it("takes 1,000 peers with a few commands", { timeout: 20_000 }, async () => {
      await makeReady();
      const publicKeys = Array.from({ length: 1_000 }, () => generateX25519KeyPair().publicKey);
      const peers = publicKeys.map((publicKey, index) => ({
        ...peer(2, publicKey),
        allowedIps: [`10.78.${Math.floor(index / 250)}.${index % 250}/32`],
        keepaliveSeconds: 0,
      }));

      await add(...peers);

      expect(Object.keys(await readPeers()).sort()).toEqual([...publicKeys].sort());
    });

    it("has nothing to say of links that are not WireGuard's, nor of none", async () => {
      await system.addForeignLink("other0", "192.168.9.1/24");

      expect(await wireguard.readDevice("other0")).toBeNull();
      expect(await wireguard.readDevice("bkt-none")).toBeNull();
    });

    it("can have an interface again the moment it was removed", async () => {
      for (let round = 0; round < 3; round++) {
        await makeReady();
        expect(await wireguard.readDevice(A)).toMatchObject({ listenPort: 51_877 });
        await wireguard.removeInterface(A);
        expect(await readLink()).toBeUndefined();
      }
    });

    it("refuses a port that another interface has", async () => {
      await makeReady();
      await wireguard.createInterface("bkt-other");
      await ip.configureLink("bkt-other", { ...NOTHING, isUp: true });

      await expect(wireguard.configureDevice("bkt-other", { listenPort: 51_877 })).rejects.toThrow(
        /address already in use/i,
      );
    });
  });
}
