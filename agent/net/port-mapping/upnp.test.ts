import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { type HttpRequest, NetworkError } from "../../system/http.ts";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { createFakeUdp, type FakeUdp } from "../../testing/fake-udp.ts";
import type { MappingProtocol, MappingSession } from "./mapping-protocol.ts";
import { parseDescription, parseFault, readElement } from "./soap.ts";
import { parseSearchReply, toRouterUrl } from "./ssdp.ts";
import { createUpnp } from "./upnp.ts";

const ROUTER = { address: "192.168.1.1", localAddress: "192.168.1.7" };
const LOCATION = "http://192.168.1.1:5000/rootDesc.xml";
const IGD1 = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
const service = (type: string, url: string) =>
  `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${url}</controlURL></service>`;
const answerSearch = (location: string, target = IGD1) =>
  Buffer.from(`HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: ${target}\r\nLocation: ${location}\r\n\r\n`);

test("a description's services come best first, whatever else it has", () => {
  const xml = `<?xml version="1.0"?><root><device><serviceList>
    ${service("WANPPPConnection:1", "/ppp")}${service("Layer3Forwarding:1", "/l3")}
    ${service("WANIPConnection:1", "/ip?a=1&amp;b=2")}<service><serviceType>x</serviceType></service>`;
  expect(parseDescription(xml).map(({ controlUrl }) => controlUrl)).toEqual(["/ip?a=1&b=2", "/ppp"]);
});

test("a description takes no time that grows faster than it", () => {
  const startedAt = performance.now();
  for (const part of ["<service>", "<service><controlURL>", "<a:", "<controlURL "]) {
    expect(parseDescription(part.repeat(1_048_576 / part.length))).toEqual([]);
  }
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test("elements are read with any prefix, faults with and without a code", () => {
  expect(readElement('<m:NewExternalIPAddress dt:dt="string"> 198.51.100.7 </m:New>', "NewExternalIPAddress")).toBe(
    "198.51.100.7",
  );
  expect(readElement("<a>1</a>", "b")).toBeNull();
  const fault = "<UPnPError><errorCode>718</errorCode><errorDescription>Conflict</errorDescription></UPnPError>";
  expect(parseFault(fault)).toEqual({ code: 718, description: "Conflict" });
  expect(parseFault("<html>")).toEqual({ code: null, description: "" });
});

test("no text makes the parsers throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("<", "service", ">", "/", "&amp;", "\r\n", "st:", " ") }), (text) => {
      parseDescription(text);
      parseFault(text);
      parseSearchReply(Buffer.from(text), ROUTER.address);
    }),
  );
});

test.each([
  "http://127.0.0.1/x",
  "http://192.168.1.2/x",
  "https://192.168.1.1/x",
  "http://root:root@192.168.1.1/x",
  "http://192.168.1.1.example.com/x",
  "//169.254.169.254/latest",
  "file:///etc/shadow",
  "nothing",
])("only the router's own URLs are called: not %s", (url) => {
  expect(toRouterUrl(url, ROUTER.address)).toBeNull();
  expect(parseSearchReply(answerSearch(url), ROUTER.address)).toBeNull();
});

describe("UPnP at a router", () => {
  let clock: FakeClock;
  let network: FakeUdp;
  let called: string[];
  /** What the router answers to an action. */
  let answers: Record<string, (body: string) => { status: number; body: string }>;
  let description: string;
  let upnp: MappingProtocol;
  const signal = new AbortController().signal;
  const fault = (code: number) => ({ status: 500, body: `<errorCode>${code}</errorCode>` });

  beforeEach(async () => {
    clock = createFakeClock();
    network = createFakeUdp();
    called = [];
    description = service("WANIPConnection:1", "/ctl");
    answers = {
      GetExternalIPAddress: () => ({
        status: 200,
        body: "<NewExternalIPAddress>198.51.100.7</NewExternalIPAddress>",
      }),
      AddPortMapping: () => ({ status: 200, body: "" }),
      DeletePortMapping: () => ({ status: 200, body: "" }),
    };
    const udp = network.at(ROUTER.localAddress);
    upnp = createUpnp({ udp, http: { request }, clock, randomBytes: () => Buffer.of(0, 5) });
  });

  async function request({ url, headers = {}, body = "" }: HttpRequest) {
    if (url === LOCATION) return { status: 200, headers: {}, body: description };
    const action = headers.SOAPAction?.split(/[#"]/).at(-2) ?? "";
    const values = [...body.matchAll(/<New\w+>([^<]*)</g)].map(([, value]) => value);
    called.push([action, ...values].join(" "));
    const answer = answers[action];
    if (answer === undefined) throw new NetworkError("ECONNRESET", "closed");
    return { headers: {}, ...answer(body) };
  }
  async function answerSearches(location = LOCATION): Promise<void> {
    const router = await network.at(ROUTER.address).open({ port: 1900 });
    router.listen((_, from) => router.send(answerSearch(location), from));
  }
  async function find() {
    const found = upnp.find(ROUTER, signal);
    await clock.advance(3_000);
    return found;
  }
  async function findSession() {
    const found = await find();
    if (!found.ok) throw new Error(found.error.message);
    called = [];
    return found.value;
  }
  const wish = { port: 51_820, externalPort: 51_820, lifetimeSeconds: 7_200 };

  test("nobody answers", async () => {
    expect(await find()).toMatchObject({ error: { code: "no_answer" } });
    expect(network.endpoints()).toEqual([]);
  });

  test("a neighbour that answers instead is not asked", async () => {
    const neighbour = await network.at("192.168.1.66").open({ port: 1900 });
    const client = upnp.find(ROUTER, signal);
    await clock.advance(0);
    const [from] = network.endpoints().filter((endpoint) => endpoint.startsWith(ROUTER.localAddress));
    expect(from).toBeDefined();
    if (from !== undefined) neighbour.send(answerSearch(LOCATION), from);
    await clock.advance(3_000);
    expect(await client).toMatchObject({ error: { code: "no_answer" } });
    expect(called).toEqual([]);
  });

  test("maps and releases a port", async () => {
    await answerSearches();
    const session = await findSession();
    expect(await session.map(wish, signal)).toEqual({
      ok: true,
      value: { externalAddress: "198.51.100.7", externalPort: 51_820, lifetimeSeconds: 7_200 },
    });
    expect(await session.release(wish.port, signal)).toEqual({ ok: true, value: null });
    expect(called).toEqual([
      "AddPortMapping  51820 UDP 51820 192.168.1.7 1 becket 7200",
      "GetExternalIPAddress",
      "DeletePortMapping  51820 UDP",
    ]);
  });

  test("takes another external port where its own is taken, and no end where only that is to be had", async () => {
    await answerSearches();
    answers.AddPortMapping = (body) => {
      if (!body.includes("<NewLeaseDuration>0<")) return fault(725);
      return body.includes("<NewExternalPort>51820<") ? fault(718) : { status: 200, body: "" };
    };
    const mapped = await (await findSession()).map(wish, signal);
    expect(mapped).toMatchObject({ value: { externalPort: 49_157, lifetimeSeconds: null } });
  });

  const released = async (session: MappingSession) => {
    called = [];
    await session.release(wish.port, signal);
    return called;
  };

  test("releases no port that another machine has, also when it was interrupted while it asked for another one", async () => {
    await answerSearches();
    const session = await findSession();
    expect(await released(session)).toEqual([]);
    answers.AddPortMapping = () => fault(718);
    await session.map(wish, signal);
    expect(await released(session)).toEqual([]);
    const stop = new AbortController();
    answers.AddPortMapping = (body) => {
      if (body.includes("<NewExternalPort>51820<")) return fault(718);
      stop.abort();
      throw new Error("stopped");
    };
    await expect(session.map(wish, stop.signal)).rejects.toThrow("stopped");
    expect(await released(session)).toEqual(["DeletePortMapping  49157 UDP"]);
  });

  test("releases what was not answered, and what was granted and not renewed, but for a port that went to another machine", async () => {
    await answerSearches();
    const session = await findSession();
    const { AddPortMapping: granting } = answers;
    delete answers.AddPortMapping;
    await session.map(wish, signal);
    expect(await released(session)).toEqual(["DeletePortMapping  51820 UDP"]);
    expect(await released(session)).toEqual([]);
    for (const [code, expected] of [
      [501, ["DeletePortMapping  51820 UDP"]],
      [718, []],
    ] as const) {
      if (granting !== undefined) answers.AddPortMapping = granting;
      await session.map(wish, signal);
      answers.AddPortMapping = () => fault(code);
      // By the session of a later search.
      const later = await findSession();
      await later.map(wish, signal);
      expect(await released(later)).toEqual(expected);
    }
  });

  test("gives up when every port is taken, or the router refuses", async () => {
    await answerSearches();
    const session = await findSession();
    answers.AddPortMapping = () => fault(718);
    expect(await session.map(wish, signal)).toMatchObject({ error: { code: "refused" } });
    expect(called.length).toBeLessThan(7);
    answers.AddPortMapping = () => fault(606);
    const message = "UPnP: the router answered AddPortMapping with 606";
    expect(await session.map(wish, signal)).toEqual({ ok: false, error: { code: "refused", message } });
    delete answers.AddPortMapping;
    expect(await session.map(wish, signal)).toMatchObject({ error: { code: "no_answer" } });
  });

  test("takes the connection that has an address", async () => {
    await answerSearches();
    description = service("WANIPConnection:1", "/down") + service("WANPPPConnection:1", "/up");
    let isFirst = true;
    answers.GetExternalIPAddress = () => {
      const address = isFirst ? "0.0.0.0" : "198.51.100.7";
      isFirst = false;
      return { status: 200, body: `<NewExternalIPAddress>${address}</NewExternalIPAddress>` };
    };
    expect(await find()).toMatchObject({ ok: true });
  });

  test("does not call what the description names outside of the router", async () => {
    await answerSearches();
    description = service("WANIPConnection:1", "http://127.0.0.1:8787/admin");
    expect(await find()).toMatchObject({ error: { code: "useless" } });
    expect(called).toEqual([]);
  });
});
