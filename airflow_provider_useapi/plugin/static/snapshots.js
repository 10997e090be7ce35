/**
 * What an audit recorded, read from the extra of an asset event.
 *
 * Events may be anyone's and their texts are from outside, so whatever is of another shape is left
 * out here, once, and the rest of the page can rely on what it gets.
 */

const VERSION = 1;
export const SEVERITIES = ["critical", "warning"];
const MOST_TEXT = 400;
// Characters that turn the direction of a line, or cannot be seen.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The snapshot in an extra; null if there is none, or one of another version. */
export function readSnapshot(extra) {
  const stored = nested(extra);
  const at = Date.parse(stored?.checked_at);
  if (stored?.version !== VERSION || Number.isNaN(at)) {
    return null;
  }
  return {
    at,
    connId: text(stored.conn_id),
    refusal: text(stored.refusal),
    accountId: count(stored.account_id),
    isActive: typeof stored.subscription_is_active === "boolean" ? stored.subscription_is_active : null,
    subscriptions: count(stored.subscriptions),
    needed: count(stored.subscriptions_needed),
    cap: count(stored.max_accounts_per_api),
    renewedOn: text(stored.renewed_on),
    error: text(stored.error),
    services: entries(stored.services).map(service),
    linked: new Map(entries(stored.linked).map(([slug, linked]) => [text(slug), linkedAccounts(linked)])),
    findings: list(stored.findings).map(finding).filter(Boolean),
    held: list(stored.held).map(finding).filter(Boolean),
    unread: list(stored.unread).map(text).filter(Boolean),
    baseline: stored.baseline ? readSnapshot(stored.baseline) : null,
  };
}

/** Whether it tells of services: a lapsed account that lists none has not lost any. */
export function tells(snapshot) {
  return snapshot.refusal === null && (snapshot.services.length > 0 || snapshot.isActive === true);
}

/** The newest snapshot that tells of services: this one, or the one before. */
export function lastKnown(snapshot) {
  return tells(snapshot) ? snapshot : snapshot.baseline;
}

/** What makes a finding the same as one of another audit. */
export function about(found) {
  return JSON.stringify([found.code, found.service, found.ref]);
}

function service([slug, counts]) {
  return {
    slug: text(slug) ?? "",
    name: text(counts?.name) ?? text(slug) ?? "",
    total: count(counts?.total) ?? 0,
    active: count(counts?.active) ?? 0,
    error: count(counts?.error) ?? 0,
    left: count(counts?.allocations_left),
  };
}

function linkedAccounts(stored) {
  return {
    leftOut: count(stored?.left_out) ?? 0,
    accounts: list(stored?.accounts).map((account) => ({
      hint: text(account?.hint) ?? "?",
      ref: text(account?.ref) ?? "",
      healthy: account?.healthy === true,
      reason: text(account?.reason),
      expires: moment(account?.session_expires),
      credits: count(account?.credits),
      unit: text(account?.unit),
      plan: text(account?.plan),
    })),
  };
}

function finding(stored) {
  if (!SEVERITIES.includes(stored?.severity)) {
    return null;
  }
  return {
    code: text(stored.code) ?? "?",
    severity: stored.severity,
    service: text(stored.service),
    message: text(stored.message) ?? "",
    since: moment(stored.since),
    ref: text(stored.ref),
  };
}

/** Airflow before 3.1 stores what is nested as the text of its JSON. */
function nested(value) {
  if (typeof value !== "string") {
    return value;
  }
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

function list(value) {
  const read = nested(value);
  return Array.isArray(read) ? read : [];
}

function entries(value) {
  const read = nested(value);
  return read && typeof read === "object" && !Array.isArray(read) ? Object.entries(read) : [];
}

function text(value) {
  if (typeof value !== "string") {
    return null;
  }
  const cut = value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT - 1)}…` : value;
  return cut.replace(UNSEEN, "�");
}

function count(value) {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function moment(value) {
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : at;
}
