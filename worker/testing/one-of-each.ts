// One of everything that the API has ids of, so that every operation can be called on something that is there.
import { createApiToken } from "#schema/api/api-tokens";
import { createJoinToken } from "#schema/api/join-tokens";
import { createMesh } from "#schema/api/meshes";
import { createPolicySet } from "#schema/api/policy-sets";
import { cancelRollout, listRollouts, startRollout } from "#schema/api/rollouts";
import { createRoute } from "#schema/api/routes";
import { listSessions } from "#schema/api/users";
import { createVip } from "#schema/api/vips";
import { type TestApp, uniqueName } from "./create-test-app.ts";
import { AGENT_INFO, type EnrolledMachine, enrolMachine } from "./enrolled-machine.ts";
import { signIn } from "./test-browser.ts";

export interface OneOfEach {
  readonly ids: Readonly<Record<string, string>>;
  readonly machine: EnrolledMachine;
}

/** A mesh with two machines, a route and a VIP of the first; tokens, a user with a session, a policy set, a roll-out that waits. */
export async function createOneOfEach(app: TestApp): Promise<OneOfEach> {
  const mesh = { name: uniqueName("mesh"), cidr: "10.1.0.0/16" };
  const meshId: string = (await app.call(createMesh, { body: mesh })).reply.id;
  const machine = await enrolMachine(app, { meshIds: [meshId] });
  const peer = await enrolMachine(app, { meshIds: [meshId] });
  const { machineId } = machine;
  const named = { name: "some", machineIds: [machineId] };
  const route = await app.call(createRoute, { params: { meshId }, body: { ...named, prefixes: ["192.168.7.0/24"] } });
  const vip = await app.call(createVip, { params: { meshId }, body: { ...named, address: "10.1.0.100" } });
  const policySet = await app.call(createPolicySet, { body: { name: uniqueName("set") } });
  const apiToken = await app.call(createApiToken, { body: { name: uniqueName("spare"), role: "viewer" } });
  const joinToken = await app.call(createJoinToken, { body: { meshIds: [meshId] } });
  const upgradable = { ...AGENT_INFO, buildSha256: "a".repeat(64), allowsUpgrades: true };
  const { machineId: upgradableId } = await enrolMachine(app, { agent: upgradable });
  // There is one at a time.
  const { items: rollouts } = (await app.call(listRollouts, {})).reply;
  const open = rollouts.filter(({ endedAt }) => endedAt === null);
  for (const { id } of open) await app.call(cancelRollout, { params: { rolloutId: id } });
  const rollout = await app.call(startRollout, { body: { machineIds: [upgradableId] } });
  const { user } = await signIn(app, { name: uniqueName("somebody") });
  const sessions = await app.call(listSessions, { query: { userId: user.id } });
  return {
    machine,
    ids: {
      meshId,
      machineId,
      peerId: peer.machineId,
      routeId: route.reply.id,
      vipId: vip.reply.id,
      policySetId: policySet.reply.id,
      apiTokenId: apiToken.reply.id,
      joinTokenId: joinToken.reply.id,
      rolloutId: rollout.reply.id,
      userId: user.id,
      sessionId: sessions.reply.items[0]?.id ?? "",
    },
  };
}
