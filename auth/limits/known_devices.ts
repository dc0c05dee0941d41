/**
 * Devices from which a user has logged in before, recognised by a signed cookie. Must not let anybody in: the cookie
 * only tells a known device from an unknown one.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Auth } from "../auth.ts";
import { isToken, randomToken } from "../secrets.ts";

/** How long a device stays known after its last login, in milliseconds. */
export const DEVICE_LIFETIME: number = 365 * 24 * 60 * 60_000;

/** The cookie for a device after a login: `<device>.<time>.<signature>`. */
export async function signDevice(auth: Auth, userId: string, previous: string | undefined): Promise<string> {
  const [known] = previous?.split(".") ?? [];
  const device = isToken(known) ? known : randomToken();
  const time = String(auth.clock());
  return `${device}.${time}.${signature(await auth.keyring.current("device"), userId, device, time)}`;
}

/** Whether this user got this cookie within the last year, and one of our keys signed it. */
export async function isKnownDevice(auth: Auth, userId: string, cookie: string | undefined): Promise<boolean> {
  const [, device, time, signed] = /^([\w-]{43})\.(\d{1,15})\.([\w-]{43})$/.exec(cookie ?? "") ?? [];
  if (device === undefined || Number(time) + DEVICE_LIFETIME <= auth.clock()) return false;
  const given = new TextEncoder().encode(signed);
  const keys = await auth.keyring.all("device");
  return keys.some((key) => timingSafeEqual(given, new TextEncoder().encode(signature(key, userId, device, time))));
}

function signature(key: string, userId: string, device: string, time: string): string {
  return createHmac("sha256", key).update(`${userId}\n${device}\n${time}`).digest("base64url");
}
