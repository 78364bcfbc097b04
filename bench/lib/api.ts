/** A bare client of /api/v1 with the owner's token; throws on anything but success. */
export function apiClient(controlPlane: { origin: string; ownerToken: string }) {
  // biome-ignore lint/suspicious/noExplicitAny: a bench reads two or three fields of answers that the tests check in full
  return async (method: string, path: string, body?: unknown): Promise<any> => {
    const response = await fetch(`${controlPlane.origin}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${controlPlane.ownerToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
}
