/**
 * Devices from which a user has logged in before, recognised by a signed cookie. Must not let anybody in: the cookie
 * only tells a known device from an unknown one.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import { isToken, randomToken } from "../secrets.ts";

/** How long a device stays known after its last login, in milliseconds. */
export const DEVICE_LIFETIME: number = 365 * 24 * 60 * 60_000;

/** The user of a device. With another mark, no earlier cookie is known, whatever the clocks say. */
export type DeviceOwner = Pick<UserRow, "id" | "device_mark">;

/** The cookie for a device after a login: `<device>.<time>.<signature>`. */
export async function signDevice(auth: Auth, user: DeviceOwner, previous: string | undefined): Promise<string> {
  const [known] = previous?.split(".") ?? [];
  const device = isToken(known) ? known : randomToken();
  const time = String(auth.clock());
  return `${device}.${time}.${signature(await auth.keyring.current("device"), user, device, time)}`;
}

/**
 * Whether this user got this cookie within the last year, since the user's devices were last forgotten, and a current
 * key signed it. The work is the same without a user.
 */
export async function isKnownDevice(
  auth: Auth,
  user: DeviceOwner | undefined,
  cookie: string | undefined,
): Promise<boolean> {
  const [, device, time, signed] = /^([\w-]{43})\.(\d{1,15})\.([\w-]{43})$/.exec(cookie ?? "") ?? [];
  if (device === undefined || Number(time) + DEVICE_LIFETIME <= auth.clock()) return false;
  const owner = user ?? { id: "", device_mark: null };
  const given = new TextEncoder().encode(signed);
  const keys = await auth.keyring.all("device");
  const isOurs = keys.some((key) =>
    timingSafeEqual(given, new TextEncoder().encode(signature(key, owner, device, time)))
  );
  return isOurs && user !== undefined;
}

function signature(key: string, { id, device_mark }: DeviceOwner, device: string, time: string): string {
  // Cookies from before the first mark are signed without one.
  const mark = device_mark === null ? "" : `\n${device_mark}`;
  return createHmac("sha256", key).update(`${id}\n${device}\n${time}${mark}`).digest("base64url");
}
