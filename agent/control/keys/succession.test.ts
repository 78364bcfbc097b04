import { beforeEach, describe, expect, test } from "vitest";
import { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { type IdentitySuccession, MAX_SUCCESSIONS, toIdentityKeyText } from "#schema/wire/identity-key";
import { type Ed25519Key, generateEd25519Pem, parseEd25519Pem } from "../../system/ed25519.ts";
import { silentLogger } from "../../system/logger.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { testMachineId } from "../../testing/mesh-model.ts";
import type { ApiFailure } from "../api-failure.ts";
import type { MachineApi } from "../machine-api.ts";
import { createSuccession, toProof } from "./succession.ts";
import { createSuccessionsFile } from "./successions-file.ts";

const FILE = "/state/identity.successions.json";
const PROOF = AGENT_PATHS.identityKey;
const BACKOFF = { firstMs: 60_000, capMs: 300_000, floorMs: 30_000 };
const keys = Array.from({ length: MAX_SUCCESSIONS + 3 }, () => parseEd25519Pem(generateEd25519Pem()));
const keyAt = (index: number): Ed25519Key => keys.at(index) as Ed25519Key;
/** As each key was replaced by the next. */
const chain = keys.slice(1).map((next, index) => toSuccession(keyAt(index), next));

function toSuccession(former: Ed25519Key, { publicKey: identityKey, sign }: Ed25519Key): IdentitySuccession {
  const formerKey = former.publicKey;
  const text = toIdentityKeyText({ machineId: MachineId.parse(testMachineId(1)), formerKey, identityKey });
  return { formerKey, identityKey, signature: sign(text), formerSignature: former.sign(text) };
}

const refusal = (problem: string, status = 401): ApiFailure => ({
  ...{ code: "refused", status, problem, message: problem, retryAfterMs: null },
});
const UNKNOWN = err(refusal("signature_invalid"));

describe("requests that the control plane refuses for their signature", () => {
  let clock: ReturnType<typeof createFakeClock>;
  let files: ReturnType<typeof createMemoryFiles>;
  /** Paths, as they were asked for. */
  let asked: string[];
  /** What the control plane makes of a proof, and of what it refuses besides. */
  let judge: () => Result<null, ApiFailure> | Promise<Result<null, ApiFailure>>;
  let isKnown: boolean;
  beforeEach(() => {
    clock = createFakeClock(1_000_000);
    files = createMemoryFiles({ [FILE]: JSON.stringify({ version: 1, successions: chain.slice(0, 2) }) });
    asked = [];
    isKnown = false;
    judge = () => {
      isKnown = true;
      return ok(null);
    };
  });

  function create() {
    const answer = async (path: string): Promise<Result<unknown, ApiFailure>> => {
      asked.push(path);
      if (path === PROOF) return judge();
      return isKnown ? ok(path) : UNKNOWN;
    };
    const refuse = () => Promise.reject(new Error("nobody opens a socket here"));
    const api: MachineApi = { get: answer, post: answer, openSocket: refuse };
    const succession = createSuccession({
      ...{ api, clock, random: () => 0.5, log: silentLogger, backoff: BACKOFF },
      signingKeys: { list: [keyAt(2)] },
      store: { readSuccessions: createSuccessionsFile(files, "/state").read },
    });
    const get = (path: string, signal = new AbortController().signal) =>
      succession.api.get(path, {}, { timeoutMs: 1_000, signal });
    return { get, succession };
  }
  const proofs = () => asked.filter((path) => path === PROOF).length;

  test("are sent once more after one proof, however many they were", async () => {
    const { get } = create();
    const paths = ["/a", "/b", "/c"];
    expect(await Promise.all(paths.map((path) => get(path)))).toEqual(paths.map((path) => ok(path)));
    expect(asked).toEqual([...paths, PROOF, ...paths]);
  });

  test("need no other proof when they were under way during the last one", async () => {
    const { get } = create();
    await get("/a");
    isKnown = false;
    const late = get("/late");
    isKnown = true;
    expect(await late).toEqual(ok("/late"));
    expect(proofs()).toBe(1);
    // Restored once more.
    isKnown = false;
    await clock.advance(30_000);
    expect(await get("/b")).toEqual(ok("/b"));
    expect(proofs()).toBe(2);
  });

  test("stay refused when the proof is not taken, and it is not tried with each of them", async () => {
    const { get } = create();
    judge = () => UNKNOWN;
    for (const path of ["/a", "/b", "/c"]) expect(await get(path)).toEqual(UNKNOWN);
    expect(proofs()).toBe(1);
    await clock.advance(45_000);
    for (let number = 0; number < 3; number++) await get("/d");
    expect(proofs()).toBe(2);
    // More and more seldom.
    await clock.advance(45_000);
    await get("/e");
    expect(proofs()).toBe(2);
    judge = () => {
      isKnown = true;
      return ok(null);
    };
    await clock.advance(120_000);
    expect(await get("/f")).toEqual(ok("/f"));
  });

  test("say what became of the proof when nobody judged it, and the next one tries again", async () => {
    const { get } = create();
    const passing: ApiFailure[] = [
      { code: "network", message: "nothing answers" },
      refusal("unavailable", 503),
      refusal("rate_limited", 429),
    ];
    for (const failure of passing) {
      judge = () => err(failure);
      expect(await get("/a")).toEqual(err(failure));
    }
    expect(proofs()).toBe(3);
  });

  test("wait for an isolate that read the former key a moment ago", async () => {
    const { get } = create();
    judge = () => ok(null);
    const answered = get("/a");
    await clock.advance(0);
    isKnown = true;
    await clock.advance(1_500);
    expect(await answered).toEqual(ok("/a"));
    expect(asked).toEqual(["/a", PROOF, "/a", "/a"]);
  });

  test("end when they are to, while others wait on", async () => {
    const { get } = create();
    let take: (taken: Result<null, ApiFailure>) => void = () => {};
    judge = () =>
      new Promise((resolve) => {
        take = resolve;
      });
    const stop = new AbortController();
    const [ended, other] = [get("/a", stop.signal), get("/b")];
    await clock.advance(0);
    stop.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
    isKnown = true;
    take(ok(null));
    expect(await other).toEqual(ok("/b"));
  });

  test.each([
    ["nothing is kept", () => files.content.delete(FILE)],
    ["what is kept is damaged", () => files.content.set(FILE, "garbage")],
    ["it can't be read", () => (files.failReads = "EIO")],
    ["it is of other keys", () => files.content.set(FILE, JSON.stringify({ version: 1, successions: chain.slice(4) }))],
  ])("stay refused when %s", async (_, damage) => {
    const { get } = create();
    damage();
    expect(await get("/a")).toEqual(UNKNOWN);
    expect(asked).toEqual(["/a"]);
  });
});

describe("a proof", () => {
  const proofOf = (kept: readonly IdentitySuccession[], ...of: Ed25519Key[]) =>
    toProof(
      kept,
      of.map(({ publicKey }) => publicKey),
    );

  test("leads to the newest of the keys that requests are signed with", () => {
    const kept = chain.slice(0, 3);
    expect(proofOf(kept, keyAt(3))).toMatchObject({ identityKey: keyAt(3).publicKey, earlier: chain.slice(0, 2) });
    expect(proofOf(kept, keyAt(2), keyAt(3))).toMatchObject({ identityKey: keyAt(3).publicKey });
    expect(proofOf(kept, keyAt(2), keyAt(9))).toMatchObject({ identityKey: keyAt(2).publicKey, earlier: [chain[0]] });
    expect(proofOf(kept, keyAt(9))).toBeNull();
  });

  test("has no gap and is no longer than what is taken", () => {
    expect(proofOf([...chain.slice(0, 2), ...chain.slice(3, 5)], keyAt(5))?.earlier).toEqual([chain[3]]);
    expect(proofOf(chain, keyAt(-1))?.earlier).toEqual(chain.slice(-MAX_SUCCESSIONS, -1));
  });
});

describe("the file of successions", () => {
  test("has each of them once, the newest last, and no more than can be shown", async () => {
    const files = createMemoryFiles();
    const store = createSuccessionsFile(files, "/state");
    for (const succession of chain) for (let times = 0; times < 2; times++) await store.keep(succession);
    expect(await store.read()).toEqual(chain.slice(-MAX_SUCCESSIONS));
    expect(files.writes).toHaveLength(chain.length);
  });

  test.each(["garbage", "{}", '{"version":1,"successions":[{}]}'])(
    "begins anew where it is damaged: %s",
    async (text) => {
      const files = createMemoryFiles({ [FILE]: text });
      const store = createSuccessionsFile(files, "/state");
      expect(await store.read()).toEqual([]);
      await store.keep(chain[0] as IdentitySuccession);
      expect(await store.read()).toEqual(chain.slice(0, 1));
    },
  );
});
