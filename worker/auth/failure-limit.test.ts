import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#schema/errors";
import { err, ok } from "#schema/result";
import type { Failure } from "../failure.ts";
import { createFailureLimit, SIGN_IN_FAILURES } from "./failure-limit.ts";

const HEADER = "cf-connecting-ip";
const from = (address: string) => new Headers({ [HEADER]: address });

function createLimit(header: string | null = HEADER) {
  const clock = { ms: 0 };
  const limit = createFailureLimit(header, () => clock.ms);
  return {
    clock,
    succeed: (address: string) => limit.guard(from(address), async () => ok("in")),
    async fail(address: string, times = 1, code: ErrorCode = "join_token_invalid"): Promise<(string | null)[]> {
      const codes: (string | null)[] = [];
      for (let count = 0; count < times; count++) {
        const result = await limit.guard<null, Failure>(from(address), async () => err({ code }));
        codes.push(result.ok ? null : result.error.code);
      }
      return codes;
    },
  };
}

test("refuses a client that fails again and again, and nobody else, until a while has passed", async () => {
  const { clock, fail, succeed } = createLimit();
  const codes = await fail("192.0.2.1", 300);
  expect(codes.indexOf("rate_limited")).toBe(200);
  expect(await succeed("192.0.2.1")).toMatchObject({ error: { code: "rate_limited" } });
  expect(await succeed("192.0.2.2")).toMatchObject({ ok: true });
  clock.ms += 1_000;
  expect((await fail("192.0.2.1", 20)).filter((code) => code === "rate_limited")).toHaveLength(10);
});

test("never counts successes: thousands from one address go through", async () => {
  const { succeed } = createLimit();
  const results = await Promise.all(Array.from({ length: 5_000 }, () => succeed("192.0.2.1")));
  expect(results.every(({ ok }) => ok)).toBe(true);
});

test("does not count what is no failed authentication, nor a wrong clock", async () => {
  const { fail, succeed } = createLimit();
  for (const code of ["validation_failed", "machine_token_expired", "machine_token_not_yet_valid"] as const) {
    await fail("192.0.2.1", 300, code);
  }
  expect(await succeed("192.0.2.1")).toMatchObject({ ok: true });
});

test("takes the addresses of one /64 for one client", async () => {
  const { fail, succeed } = createLimit();
  await fail("2001:db8:1:2::1", 200);
  expect(await succeed("2001:db8:1:2:3:4:5:6")).toMatchObject({ error: { code: "rate_limited" } });
  expect(await succeed("2001:db8:1:3::1")).toMatchObject({ ok: true });
});

describe("whoever was let in from that address before", () => {
  const shown = (credential: string) => async () => credential;
  const fails = (code: ErrorCode) => async () => err({ code });
  const client = from("192.0.2.1");

  async function createAttacked() {
    const limit = createFailureLimit(HEADER, () => 0);
    await limit.guard(client, async () => ok("in"), shown("colleague"));
    for (let count = 0; count < 300; count++) await limit.guard(client, fails("unauthenticated"), shown("guess"));
    return limit;
  }

  test("goes on while somebody fails on purpose; another one does not, and is told when to come back", async () => {
    const limit = await createAttacked();
    expect(await limit.guard(client, async () => ok("in"), shown("colleague"))).toEqual(ok("in"));
    const refusal = { code: "rate_limited", retryAfterSeconds: 1 };
    expect(await limit.guard(client, async () => ok("in"), shown("new"))).toMatchObject({ error: refusal });
    expect(await limit.guard(client, async () => ok("in"))).toMatchObject({ error: refusal });
    expect(await limit.guard(from("192.0.2.2"), async () => ok("in"), shown("new"))).toEqual(ok("in"));
  });

  test("does not for long with what was revoked", async () => {
    const limit = await createAttacked();
    const revoked = await limit.guard(client, fails("unauthenticated"), shown("colleague"));
    expect(revoked).toMatchObject({ error: { code: "unauthenticated" } });
    expect(await limit.guard(client, fails("unauthenticated"), shown("colleague"))).toMatchObject({
      error: { code: "rate_limited" },
    });
  });

  test("is kept out by nobody who only says that he is that machine", async () => {
    const limit = await createAttacked();
    await limit.guard(client, fails("signature_invalid"), shown("colleague"));
    expect(await limit.guard(client, async () => ok("in"), shown("colleague"))).toEqual(ok("in"));
  });
});

test("says after how long one more try is free", async () => {
  const limit = createFailureLimit(HEADER, () => 0, SIGN_IN_FAILURES);
  const fail = () => limit.guard<null, Failure>(from("192.0.2.1"), async () => err({ code: "login_link_invalid" }));
  for (let count = 0; count < SIGN_IN_FAILURES.burst; count++) await fail();
  expect(await fail()).toMatchObject({ error: { code: "rate_limited", retryAfterSeconds: 5 } });
});

test("limits nobody where the platform tells no address, whatever header a client sends", async () => {
  const { fail } = createLimit(null);
  expect(new Set(await fail("192.0.2.1", 500))).toEqual(new Set(["join_token_invalid"]));
});
