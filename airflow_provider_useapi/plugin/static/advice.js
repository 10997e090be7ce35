/** What to do about a finding, by its code. */

export const ADVICE = {
  UA001: "Nothing works until it is paid. Renew the subscription at useapi.net.",
  UA002:
    "Sign these accounts in again at useapi.net. If you do not plan to, delete them: they use up the allocation like any other.",
  UA003: "Fine as long as no further account is needed. Accounts in error can be deleted to make room.",
  UA004: "Accounts are linked that the subscriptions do not cover. Buy the missing ones, or delete accounts.",
  UA005: "Reported once, by the audit that sees it. UA002 of the same service usually tells why; without it, somebody has deleted accounts.",
  UA006: "Reported once. Its last account was deleted, or useapi.net has dropped the service. Gates that need it wait until their time-out.",
  UA007: "The API's own words. Do what they say.",
  UA008: "Either the next payment is overdue, or it is paid by the year: then set renewal_max_age_days=370.",
  UA009:
    "Critical: there is no account in the answer. If the token was refused, put the whole token with its user: prefix into the connection's password; otherwise check its host. Warning: fields could not be read; look for a newer release of this package.",
  UA010: "Sign the account in again, or update it on the setup page of its service at useapi.net.",
  UA011: "Sign the account in again before that day: useapi.net does not renew it.",
  UA012: "Top the account up, or lower the number in min_credits.",
  UA013: "Every paid model refuses an account on the free plan. Subscribe it, or take it out.",
  UA014: "Every job that needs a captcha fails. Add a provider on the setup page of Google Flow.",
};

/** Where accounts and the subscription are looked after: a text to copy, for the page opens nothing. */
export const VENDOR = "https://useapi.net";

export function adviceFor(code) {
  return ADVICE[code] ?? "This code is newer than this page. It is explained in docs/audit.md of the release that reported it.";
}
