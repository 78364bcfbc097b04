// UPnP IGD at a router.
import { Ipv4, renderEndpoint } from "#schema/address";
import { err, ok, type Result } from "#schema/result";
import type { Clock } from "../../system/clock.ts";
import { type Http, isNetworkError } from "../../system/http.ts";
import type { RandomBytes } from "../../system/random.ts";
import type { UdpSockets } from "../../system/udp.ts";
import type { Mapping, MappingFailure, MappingProtocol, MappingWish, Router } from "./mapping-protocol.ts";
import { sendUntilAnswered } from "./send-until-answered.ts";
import { parseDescription, parseFault, readElement, renderCall } from "./soap.ts";
import { parseSearchReply, renderSearch, SSDP_GROUP, SSDP_PORT, toRouterUrl } from "./ssdp.ts";

export interface UpnpPorts {
  readonly udp: UdpSockets;
  /** One that uses no proxy: routers are on this machine's own network. */
  readonly http: Pick<Http, "request">;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

interface Connection {
  readonly router: Router;
  readonly type: string;
  readonly url: URL;
  /** External ports that this router has given us, or may have, by our own: an answer can get lost, or waited for in vain. */
  readonly given: Map<number, number>;
}
type SoapArguments = readonly (readonly [string, string | number])[];

/** Devices may take the second that the search grants them (MX); a packet may get lost. */
const SEARCH_WAITS_MS = [500, 1_500];
const HTTP_TIMEOUT_MS = 3_000;
/** Descriptions have a few KiB. */
const MAX_REPLY_BYTES = 64 * 1024;
const MAX_CONFLICTS = 4;
/** The port belongs to another machine's mapping (IGD 1, section 2.4.16). */
const CONFLICT = 718;
/** Only mappings that last for ever (same section). */
const ONLY_PERMANENT = 725;
const DESCRIPTION = "becket";

export function createUpnp(ports: UpnpPorts): MappingProtocol {
  // As long as the router is the same: the next search makes another session.
  let given = new Map<number, number>();
  let givenBy = "";
  return {
    name: "upnp",
    async find(router, signal) {
      const location = await search(ports, router, signal);
      if (location === null) {
        return err({ code: "no_answer", message: `${router.address} does not answer to UPnP` });
      }
      if (givenBy !== JSON.stringify(router)) given = new Map();
      givenBy = JSON.stringify(router);
      const connection = await findConnection(ports, { router, given }, location, signal);
      if (!connection.ok) return connection;
      return ok({
        map: (wish, one) => map(ports, connection.value, wish, one),
        release: (port, one) => release(ports, connection.value, port, one),
      });
    },
  };
}

function search(ports: UpnpPorts, { address, localAddress }: Router, signal: AbortSignal): Promise<URL | null> {
  // Bound to an address, multicast leaves by that address' interface: no route for it is needed (Linux, net/ipv4/route.c).
  return sendUntilAnswered(ports, {
    ...{ localAddress, waitsMs: SEARCH_WAITS_MS, signal },
    send(socket) {
      // Also straight to the router: its answer to that passes a stateful firewall on this machine.
      for (const to of [SSDP_GROUP, address]) {
        socket.send(renderSearch(), renderEndpoint({ address: to, port: SSDP_PORT }));
      }
    },
    read: (packet, from) => (from.startsWith(`${address}:`) ? parseSearchReply(packet, address) : null),
  });
}

/** A router may list several connections; the one that is up has an address. */
async function findConnection(
  ports: UpnpPorts,
  at: Pick<Connection, "router" | "given">,
  location: URL,
  signal: AbortSignal,
): Promise<Result<Connection, MappingFailure>> {
  const description = await exchange(ports, { method: "GET", url: location.href }, signal);
  if (!description.ok) return description;
  let failure: MappingFailure = {
    code: "useless",
    message: "UPnP: the router describes no connection to the Internet",
  };
  for (const { type, controlUrl } of parseDescription(description.value.body)) {
    const url = toRouterUrl(controlUrl, at.router.address, location);
    if (url === null) continue;
    const connection = { ...at, type, url };
    const address = await readAddress(ports, connection, signal);
    if (address.ok) return ok(connection);
    failure = address.error;
  }
  return err(failure);
}

async function map(
  ports: UpnpPorts,
  connection: Connection,
  wish: MappingWish,
  signal: AbortSignal,
): Promise<Result<Mapping, MappingFailure>> {
  let { externalPort, lifetimeSeconds } = wish;
  for (let conflicts = 0; ; ) {
    const asked = { ...wish, externalPort, lifetimeSeconds };
    const added = await add(ports, connection, asked, signal);
    if (added.ok) {
      const address = await readAddress(ports, connection, signal);
      if (!address.ok) return address;
      const isForEver = lifetimeSeconds === 0;
      return ok({ externalAddress: address.value, externalPort, lifetimeSeconds: isForEver ? null : lifetimeSeconds });
    }
    if (added.error.fault === ONLY_PERMANENT && lifetimeSeconds !== 0) lifetimeSeconds = 0;
    else if (added.error.fault === CONFLICT && conflicts++ < MAX_CONFLICTS) {
      // Of the dynamic ports (RFC 6335 section 6).
      externalPort = 49_152 + (ports.randomBytes(2).readUInt16BE() % 16_384);
    } else return err(added.error.failure);
  }
}

/** What is refused leaves things as they were, unless it is ours no longer. */
async function add(
  ports: UpnpPorts,
  connection: Connection,
  wish: MappingWish,
  signal: AbortSignal,
): Promise<Result<string, CallFailure>> {
  const { given } = connection;
  const { port, externalPort } = wish;
  const before = given.get(port);
  given.set(port, externalPort);
  const added = await call(ports, connection, "AddPortMapping", toArguments(wish, connection), signal);
  if (added.ok || added.error.failure.code === "no_answer") return added;
  const isLost = added.error.fault === CONFLICT && before === externalPort;
  if (before === undefined || isLost) given.delete(port);
  else given.set(port, before);
  return added;
}

function toArguments({ port, externalPort, lifetimeSeconds }: MappingWish, { router }: Connection): SoapArguments {
  return [
    ["NewRemoteHost", ""],
    ["NewExternalPort", externalPort],
    ["NewProtocol", "UDP"],
    ["NewInternalPort", port],
    ["NewInternalClient", router.localAddress],
    ["NewEnabled", 1],
    ["NewPortMappingDescription", DESCRIPTION],
    ["NewLeaseDuration", lifetimeSeconds],
  ];
}

async function release(
  ports: UpnpPorts,
  connection: Connection,
  port: number,
  signal: AbortSignal,
): Promise<Result<null, MappingFailure>> {
  const externalPort = connection.given.get(port);
  if (externalPort === undefined) return ok(null);
  const args: SoapArguments = [
    ["NewRemoteHost", ""],
    ["NewExternalPort", externalPort],
    ["NewProtocol", "UDP"],
  ];
  const deleted = await call(ports, connection, "DeletePortMapping", args, signal);
  if (!deleted.ok) return err(deleted.error.failure);
  connection.given.delete(port);
  return ok(null);
}

async function readAddress(
  ports: UpnpPorts,
  connection: Connection,
  signal: AbortSignal,
): Promise<Result<Ipv4, MappingFailure>> {
  const reply = await call(ports, connection, "GetExternalIPAddress", [], signal);
  if (!reply.ok) return err(reply.error.failure);
  const address = Ipv4.safeParse(readElement(reply.value, "NewExternalIPAddress"));
  if (address.success && address.data !== "0.0.0.0") return ok(address.data);
  return err({ code: "useless", message: "UPnP: the router has no address itself" });
}

interface CallFailure {
  readonly failure: MappingFailure;
  /** UPnP's error code. */
  readonly fault: number | null;
}

async function call(
  ports: UpnpPorts,
  { type, url }: Connection,
  action: string,
  args: SoapArguments,
  signal: AbortSignal,
): Promise<Result<string, CallFailure>> {
  const reply = await exchange(ports, { method: "POST", url: url.href, ...renderCall(type, action, args) }, signal);
  if (!reply.ok) return err({ failure: reply.error, fault: null });
  const { status, body } = reply.value;
  if (status === 200) return ok(body);
  const { code, description } = parseFault(body);
  const reason = code === null ? `HTTP status ${status}` : `${code} ${description.slice(0, 100)}`.trim();
  return err({
    failure: { code: "refused", message: `UPnP: the router answered ${action} with ${reason}` },
    fault: code,
  });
}

type Exchange = Pick<Parameters<Http["request"]>[0], "method" | "url" | "headers" | "body">;

async function exchange({ http }: UpnpPorts, request: Exchange, signal: AbortSignal) {
  try {
    const limits = { timeoutMs: HTTP_TIMEOUT_MS, maxReplyBytes: MAX_REPLY_BYTES, signal };
    return ok(await http.request({ ...request, ...limits }));
  } catch (error) {
    if (!isNetworkError(error)) throw error;
    return err({ code: "no_answer", message: `UPnP: ${error.message}` } satisfies MappingFailure);
  }
}
