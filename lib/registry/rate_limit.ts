// Docker Hub tells with each answer how many pulls are left (spec ch-image §9.1).

import type { Log } from "../log/log.ts";

const LIMIT = "RateLimit-Limit", REMAINING = "RateLimit-Remaining";
const SOURCE = "Docker-RateLimit-Source";
const UNKNOWN = "???";

/** Says what HEADERS tell about the limit; nothing if they do not. */
export function reportRateLimit(headers: Headers, log: Log): void {
  const limit = headers.get(LIMIT), remaining = headers.get(REMAINING);
  const source = headers.get(SOURCE);
  if (limit === null && remaining === null && source === null) return;
  const whole = readCount(LIMIT, limit, log), left = readCount(REMAINING, remaining, log);
  const seconds = whole.seconds ?? left.seconds;
  const hours = seconds === undefined ? UNKNOWN : (seconds / 3600).toFixed(1);
  const who = source === null ? UNKNOWN : isUuid(source) ? "auth" : source;
  log.info(
    `Docker Hub rate limit: ${left.count} pulls left of ${whole.count} per ${hours} hours (${who})`,
  );
}

/** `100;w=21600` */
function readCount(name: string, value: string | null, log: Log) {
  const match = /^\s*(\d+)\s*(?:;\s*w=(\d+)\s*)?$/.exec(value ?? "");
  if (match === null) {
    if (value !== null) log.warning(`can’t parse ${name}: ${value}`);
    return { count: UNKNOWN, seconds: undefined };
  }
  return { count: match[1]!, seconds: match[2] === undefined ? undefined : Number(match[2]) };
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
