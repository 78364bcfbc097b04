// A gateway device's description, and actions of its WAN connection (UPnP IGD 1 and 2). Pure. XML is read by the few elements that matter:
// routers write it in all sorts of ways, and what is read is checked by whoever uses it.

export interface WanService {
  readonly type: string;
  /** As the description has it: mostly a path. */
  readonly controlUrl: string;
}

/** The best first. */
const SERVICE_TYPES = ["WANIPConnection:2", "WANIPConnection:1", "WANPPPConnection:1"].map(
  (name) => `urn:schemas-upnp-org:service:${name}`,
);

export function parseDescription(xml: string): WanService[] {
  // Each part is searched for its end once: an expression for both would search all of the rest again for each beginning.
  return xml
    .split("<service>")
    .slice(1)
    .map((part) => part.split("</service>", 1)[0] ?? "")
    .map((body) => ({ type: readElement(body, "serviceType"), controlUrl: readElement(body, "controlURL") }))
    .filter(
      (service): service is WanService => service.controlUrl !== null && SERVICE_TYPES.includes(service.type ?? ""),
    )
    .sort((a, b) => SERVICE_TYPES.indexOf(a.type) - SERVICE_TYPES.indexOf(b.type));
}

export interface SoapCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Some routers take arguments by their order. Values are numbers and words of our own: nothing to escape. */
export function renderCall(serviceType: string, action: string, args: readonly (readonly [string, string | number])[]) {
  const elements = args.map(([name, value]) => `<${name}>${value}</${name}>`).join("");
  const body = [
    '<?xml version="1.0"?>\r\n',
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ',
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
    `<u:${action} xmlns:u="${serviceType}">${elements}</u:${action}>`,
    "</s:Body></s:Envelope>\r\n",
  ].join("");
  const headers = {
    "Content-Type": 'text/xml; charset="utf-8"',
    SOAPAction: `"${serviceType}#${action}"`,
    // Routers' small servers tend to close a connection that they promised to keep.
    Connection: "close",
  };
  return { headers, body } satisfies SoapCall;
}

export interface SoapFault {
  /** UPnP's own, such as 718; null when it did not say. */
  readonly code: number | null;
  readonly description: string;
}

export function parseFault(xml: string): SoapFault {
  const code = readElement(xml, "errorCode") ?? "";
  return {
    code: /^\d{1,4}$/.test(code) ? Number(code) : null,
    description: readElement(xml, "errorDescription") ?? "",
  };
}

/** The text of the first element of this name, whatever its namespace prefix. No part of the expression reads past the next `<`. */
export function readElement(xml: string, name: string): string | null {
  const match = new RegExp(`<(?:[\\w.-]+:)?${name}(?:\\s[^<>]*)?>([^<]*)</`).exec(xml);
  return match === null ? null : decode(match[1]?.trim() ?? "");
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? "");
}
