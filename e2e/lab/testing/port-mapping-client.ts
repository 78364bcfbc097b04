// A program for machines in tests: asks the router for a port and prints the public endpoint.
//   PROTOCOL ROUTER OWN_ADDRESS INTERNAL_PORT PUBLIC_PORT SECONDS        (0 seconds: close it)
// Protocols: nat-pmp (RFC 6886), pcp (RFC 6887), upnp (UPnP IGD: WANIPConnection:1).
import { createSocket } from "node:dgram";
import { once } from "node:events";

const [protocol = "", router = "", own = "", ...numbers] = process.argv.slice(2);
const [internalPort = 0, publicPort = 0, seconds = 0] = numbers.map(Number);
const UDP = 17;
const PMP_PORT = 5351;

const clients: Record<string, () => Promise<string>> = { "nat-pmp": natPmp, pcp, upnp };
process.stdout.write(`${await clients[protocol]?.()}\n`);

async function natPmp(): Promise<string> {
  const address = await ask(router, PMP_PORT, Buffer.from([0, 0]));
  const request = Buffer.alloc(12);
  request.writeUInt8(1, 1);
  request.writeUInt16BE(internalPort, 4);
  request.writeUInt16BE(seconds === 0 ? 0 : publicPort, 6);
  request.writeUInt32BE(seconds, 8);
  const answer = await ask(router, PMP_PORT, request);
  if (answer.readUInt16BE(2) !== 0) throw new Error(`NAT-PMP result ${answer.readUInt16BE(2)}`);
  return `${[...address.subarray(8, 12)].join(".")}:${answer.readUInt16BE(10)}`;
}

async function pcp(): Promise<string> {
  const request = Buffer.alloc(60);
  request.writeUInt8(2, 0);
  request.writeUInt8(1, 1);
  request.writeUInt32BE(seconds, 4);
  writeMapped(request, 8, own);
  request.write("becket-tests", 24, "ascii");
  request.writeUInt8(UDP, 36);
  request.writeUInt16BE(internalPort, 40);
  request.writeUInt16BE(publicPort, 42);
  writeMapped(request, 44, "0.0.0.0");
  const answer = await ask(router, PMP_PORT, request);
  if (answer.readUInt8(3) !== 0) throw new Error(`PCP result ${answer.readUInt8(3)}`);
  return `${[...answer.subarray(56, 60)].join(".")}:${answer.readUInt16BE(42)}`;
}

async function upnp(): Promise<string> {
  const service = "urn:schemas-upnp-org:service:WANIPConnection:1";
  const search = `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ${service}\r\n\r\n`;
  const found = await ask("239.255.255.250", 1900, Buffer.from(search));
  const location = /^location:\s*(\S+)/im.exec(found.toString())?.[1] ?? "";
  const description = await (await fetch(location)).text();
  const block = description.split("<service>").find((text) => text.includes(service)) ?? "";
  const control = new URL(/<controlURL>([^<]*)/.exec(block)?.[1] ?? "", location);
  const call = async (action: string, fields: string) => {
    const body = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${service}">${fields}</u:${action}></s:Body></s:Envelope>`;
    const headers = { "content-type": "text/xml", soapaction: `"${service}#${action}"` };
    const response = await fetch(control, { method: "POST", headers, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${action}: ${text}`);
    return text;
  };
  const port = `<NewRemoteHost></NewRemoteHost><NewExternalPort>${publicPort}</NewExternalPort><NewProtocol>UDP</NewProtocol>`;
  if (seconds === 0) await call("DeletePortMapping", port);
  else
    await call(
      "AddPortMapping",
      `${port}<NewInternalPort>${internalPort}</NewInternalPort><NewInternalClient>${own}</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>becket tests</NewPortMappingDescription><NewLeaseDuration>${seconds}</NewLeaseDuration>`,
    );
  const external = await call("GetExternalIPAddress", "");
  return `${/<NewExternalIPAddress>([^<]*)/.exec(external)?.[1]}:${publicPort}`;
}

async function ask(address: string, port: number, request: Buffer): Promise<Buffer> {
  const socket = createSocket("udp4");
  socket.bind(0, own);
  await once(socket, "listening");
  socket.send(request, port, address);
  const [answer] = (await once(socket, "message", { signal: AbortSignal.timeout(4_000) })) as [Buffer];
  socket.close();
  return answer;
}

/** An IPv4 address as IPv6 (::ffff:a.b.c.d). */
function writeMapped(buffer: Buffer, offset: number, ipv4: string): void {
  buffer.writeUInt16BE(0xffff, offset + 10);
  for (const [index, part] of ipv4.split(".").entries()) buffer.writeUInt8(Number(part), offset + 12 + index);
}
