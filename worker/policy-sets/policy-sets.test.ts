import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { getMachine, updateMachine } from "#schema/api/machines";
import { createMesh, getMesh, updateMesh } from "#schema/api/meshes";
import {
  createPolicySet,
  deletePolicySet,
  getPolicySet,
  listPolicySets,
  testPolicySet,
  updatePolicySet,
} from "#schema/api/policy-sets";
import { UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";

const app = createTestApp();
const create = (body: object = {}) => app.call(createPolicySet, { body: { name: uniqueName("set"), ...body } });
const RULE = { match: { prefixes: ["192.168.0.0/16"], maxLength: 24 }, action: "accept", setLocalPreference: 200 };
const unknown = UNKNOWN_IDS.policySetId ?? "";

describe("a policy set", () => {
  it("is created, read, listed, changed and deleted, and the audit trail tells", async () => {
    const { reply, status } = await create({ description: "x", rules: [RULE] });
    expect(status).toBe(201);
    expect(reply).toMatchObject({ description: "x", defaultAction: "accept", defaultLocalPreference: null });
    expect(reply.rules).toMatchObject([{ ...RULE, enabled: true, prependCount: 0, addCommunities: [] }]);
    const params = { policySetId: reply.id };
    expect((await app.call(getPolicySet, { params })).reply).toEqual(reply);
    expect((await app.call(listPolicySets, {})).reply.items).toContainEqual(reply);
    const changed = await app.call(updatePolicySet, { params, body: { rules: [], defaultAction: "reject" } });
    expect(changed.reply).toEqual({ ...reply, rules: [], defaultAction: "reject" });
    expect((await app.call(updatePolicySet, { params, body: { rules: [] } })).reply).toEqual(changed.reply);
    expect((await app.call(deletePolicySet, { params })).status).toBe(204);
    expect((await app.call(getPolicySet, { params })).problem.code).toBe("policy_set_not_found");
    const events = (await app.call(listAuditEvents, { query: { subjectId: reply.id } })).reply.items;
    expect(events.map(({ action }) => action)).toEqual([
      "policy_set.deleted",
      "policy_set.updated",
      "policy_set.created",
    ]);
    expect(events[1]?.details).toEqual({ rules: [], defaultAction: "reject" });
  });

  it("has a name of its own", async () => {
    const { name } = (await create()).reply;
    expect((await create({ name })).problem).toMatchObject({ code: "name_taken", errors: [{ path: "name" }] });
    const params = { policySetId: (await create()).reply.id };
    expect((await app.call(updatePolicySet, { params, body: { name } })).problem.code).toBe("name_taken");
  });

  it("is changed by admins and tried by viewers", async () => {
    const params = { policySetId: (await create()).reply.id };
    const body = { name: uniqueName("set") };
    expect((await app.call(createPolicySet, { body, as: "viewer" })).problem.code).toBe("forbidden");
    expect((await app.call(updatePolicySet, { params, body, as: "viewer" })).problem.code).toBe("forbidden");
    expect((await app.call(deletePolicySet, { params, as: "viewer" })).problem.code).toBe("forbidden");
    const tried = { params, body: { prefix: "10.0.0.0/8" }, as: "viewer" as const };
    expect((await app.call(testPolicySet, tried)).status).toBe(200);
    expect((await app.call(createPolicySet, { body, as: "admin" })).status).toBe(201);
  });

  it("names the field of a rule that makes no sense", async () => {
    const rules = [RULE, { match: { asPath: ".*" }, action: "accept" }];
    expect((await create({ rules })).problem.errors).toMatchObject([{ path: "rules.1.match.asPath" }]);
  });
});

describe("a policy set that is used", () => {
  it("is not deleted, whoever uses it, and the answer says who", async () => {
    const { id } = (await create()).reply;
    const mesh = (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } })).reply;
    expect(mesh).toMatchObject({ importPolicySetId: null, exportPolicySetId: null });
    const { machineId } = await enrolMachine(app, { meshIds: [mesh.id] });
    const ofMesh = { params: { meshId: mesh.id } };
    const ofMachine = { params: { machineId } };
    const used = { importPolicySetId: id };
    expect((await app.call(updateMesh, { ...ofMesh, body: used })).reply).toMatchObject(used);
    expect((await app.call(updateMachine, { ...ofMachine, body: { exportPolicySetId: id } })).reply).toMatchObject({
      ...{ importPolicySetId: null, exportPolicySetId: id },
    });
    const remove = () => app.call(deletePolicySet, { params: { policySetId: id } });
    const { code, detail } = (await remove()).problem;
    expect(code).toBe("policy_set_in_use");
    expect(detail).toContain(mesh.name);
    await app.call(updateMesh, { ...ofMesh, body: { importPolicySetId: null } });
    expect((await app.call(getMesh, ofMesh)).reply.importPolicySetId).toBeNull();
    expect((await remove()).problem.detail).toContain("the machine");
    await app.call(updateMachine, { ...ofMachine, body: { exportPolicySetId: null } });
    expect((await app.call(getMachine, ofMachine)).reply.exportPolicySetId).toBeNull();
    expect((await remove()).status).toBe(204);
  });

  it("has to be there", async () => {
    const mesh = (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } })).reply;
    const { machineId } = await enrolMachine(app);
    const body = { name: uniqueName("other"), exportPolicySetId: unknown };
    const refusal = { code: "policy_set_not_found", errors: [{ path: "exportPolicySetId" }] };
    expect((await app.call(updateMesh, { params: { meshId: mesh.id }, body })).problem).toMatchObject(refusal);
    expect((await app.call(updateMachine, { params: { machineId }, body })).problem).toMatchObject(refusal);
    expect((await app.call(getMesh, { params: { meshId: mesh.id } })).reply.name).toBe(mesh.name);
  });
});

describe("trying a policy set", () => {
  it("tells which rule decides, and what becomes of the route", async () => {
    const rules = [
      { action: "reject", enabled: false },
      { match: { asPath: "* 4200000002" }, action: "reject" },
      {
        match: { communities: ["65000:1"] },
        action: "accept",
        addCommunities: ["65000:2"],
        setMed: 5,
        prependCount: 2,
      },
    ];
    const { id } = (await create({ rules, defaultAction: "reject", defaultLocalPreference: 90 })).reply;
    const tryOn = async (body: object) =>
      (await app.call(testPolicySet, { params: { policySetId: id }, body: { prefix: "10.0.0.0/8", ...body } })).reply;
    const nothing = { localPreference: null, med: null, communities: [], prependCount: 0 };
    expect(await tryOn({})).toEqual({ action: "reject", ruleNumber: null, ...nothing });
    expect(await tryOn({ asPath: [4_200_000_001, 4_200_000_002] })).toEqual({
      ...{ action: "reject", ruleNumber: 2, ...nothing },
    });
    expect(await tryOn({ communities: ["65000:1"] })).toEqual({
      ...{ action: "accept", ruleNumber: 3, localPreference: 90, med: 5, prependCount: 2 },
      communities: ["65000:1", "65000:2"],
    });
  });

  it("refuses what is no route, and a set that is not there", async () => {
    const params = { policySetId: (await create()).reply.id };
    for (const body of [{ prefix: "10.0.0.1/8" }, { prefix: "10.0.0.0/8", asPath: [0] }]) {
      expect((await app.call(testPolicySet, { params, body })).problem.code).toBe("validation_failed");
    }
    const body = { prefix: "10.0.0.0/8" };
    const missing = await app.call(testPolicySet, { params: { policySetId: unknown }, body });
    expect(missing.problem.code).toBe("policy_set_not_found");
  });
});
