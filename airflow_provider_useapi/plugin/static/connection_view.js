/** One connection: how it is now, what was found, its services, and its history. */

import { ADVICE, adviceFor, VENDOR } from "./advice.js";
import { taskAddress } from "./airflow_window.js";
import { accountsOf } from "./connections.js";
import { element, foreign } from "./elements.js";
import { historyTables } from "./history_table.js";
import { historyView } from "./history_view.js";
import { pills, subscriptionWord } from "./list_view.js";
import { servicesView } from "./services_view.js";

export const WINDOWS = [7, 30, 90];
const MOST_FINDINGS = 200;

/**
 * @param {{id: string, state: Object}} row the connection.
 * @param {{audits: Object[], days: number, begin: number, end: number, progress: ?Object}} history
 */
export function connectionView({ id, state }, history, formats, now) {
  const { newest, known } = state;
  return [
    element("p", { class: "back" }, element("a", { href: "#/" }, "← All connections")),
    element("header", { class: "head" }, element("h2", { tabindex: -1 }, foreign(id)), element("span", { class: "pills" }, pills(state, formats))),
    newest ? lastAudit(state, formats, now) : null,
    newest ? note(newest.snapshot, known, formats) : null,
    newest ? facts(newest.snapshot, known, formats, now) : null,
    newest ? findings(newest, formats) : null,
    historySection(history, formats),
    known ? [element("h3", {}, "Services"), servicesView(known, formats)] : null,
    newest?.snapshot.unread.length ? unread(newest.snapshot) : null,
  ];
}

function lastAudit({ newest, interval, isOverdue }, formats, now) {
  const when = `${formats.moment(newest.at)}, ${formats.ago(newest.at, now)}`;
  const link = newest.task ? element("a", { href: taskAddress(newest.task), "data-airflow": true }, when) : when;
  const usual = interval === null ? "" : ` Audits are ${formats.duration(interval)} apart as a rule.`;
  return element(
    "p",
    { class: isOverdue ? "bad" : "soft" },
    "Last audit: ",
    link,
    isOverdue ? ". It is overdue." : ".",
    usual,
  );
}

function note(snapshot, known, formats) {
  if (known === null) {
    return element("p", { class: "note" }, "No audit that is kept tells of linked accounts yet.");
  }
  return known === snapshot
    ? null
    : element("p", { class: "note" }, `The last answer lists no linked accounts. The numbers below are those of ${formats.moment(known.at)}.`);
}

function facts(snapshot, known, formats, now) {
  const { active, total } = accountsOf(known);
  const renewed = snapshot.renewedOn && Date.parse(snapshot.renewedOn);
  const shown = [
    ["Subscription", subscriptionWord(snapshot), renewed ? `renewed ${formats.ago(renewed, now)}` : ""],
    ["Linked accounts active", total === null ? "unknown" : `${formats.number(active)} of ${formats.number(total)}`, known ? `at ${formats.counted(known.services.length, "service")}` : ""],
    ["Subscriptions bought", formats.number(known?.subscriptions ?? null), known?.needed == null ? "" : `${formats.number(known.needed)} needed`],
    ["Allowed at each service", formats.number(known?.cap ?? null), "linked accounts"],
  ];
  return element(
    "dl",
    { class: "facts" },
    shown.map(([name, value, more]) =>
      element("div", { class: "card" }, element("dt", {}, name), element("dd", {}, value), element("dd", { class: "soft" }, more)),
    ),
  );
}

function findings(newest, formats) {
  const all = newest.snapshot.findings;
  const shown = all.slice(0, MOST_FINDINGS);
  return [
    element("h3", {}, "Findings"),
    element(
      "ul",
      { class: "card findings" },
      shown.map((found) => finding(found, newest.at, formats)),
      shown.length ? null : element("li", { class: "empty" }, "Nothing to do."),
      all.length > shown.length ? element("li", { class: "empty" }, `and ${formats.number(all.length - shown.length)} more`) : null,
    ),
  ];
}

function finding(found, at, formats) {
  const isNew = found.since === null || found.since >= at;
  const since = isNew ? element("b", {}, "new") : `since ${formats.date(found.since)}, ${formats.duration(at - found.since)}`;
  return element(
    "li",
    { class: found.severity, "data-key": `${found.code} ${found.service} ${found.ref}` },
    element("span", { class: "code" }, `${found.code} ${found.severity}`),
    element("span", { class: "message" }, found.service ? [element("b", {}, foreign(found.service)), " "] : null, foreign(found.message)),
    element("span", { class: "since soft" }, since),
    element(
      "details",
      { class: "advice" },
      element("summary", {}, "What to do"),
      element("p", {}, adviceFor(found.code)),
      found.code in ADVICE ? element("p", { class: "soft" }, "The account is looked after at ", element("code", {}, VENDOR), ", to copy.") : null,
    ),
  );
}

function unread(snapshot) {
  return [
    element("h3", {}, "Not read"),
    element("ul", { class: "card findings" }, snapshot.unread.map((sentence) => element("li", { class: "empty" }, foreign(sentence)))),
  ];
}

function historySection(history, formats) {
  const choices = WINDOWS.map((days) =>
    element("button", { type: "button", "data-action": "days", "data-value": days, "aria-pressed": String(days === history.days) }, `${days} days`),
  );
  return [
    element("div", { class: "head" }, element("h3", {}, "History"), element("div", { class: "choices", role: "group", "aria-label": "How much of the history" }, choices)),
    progress(history, formats),
    history.audits.length
      ? [historyView(history.audits, history.begin, history.end, formats), historyTables(history.audits, formats)]
      : element("p", { class: "card empty" }, history.progress ? "Reading the history." : `Airflow shows no audit of the last ${history.days} days.`),
  ];
}

function progress({ progress: reading, error }, formats) {
  if (error) {
    return element("p", { class: "note" }, error);
  }
  if (!reading) {
    return element("p", { class: "progress soft" });
  }
  const words = reading.total ? `Read ${formats.number(reading.read)} of ${formats.number(reading.total)} events, newest first. ` : "Reading. ";
  const stop = element("button", { type: "button", "data-action": "stop" }, "Stop");
  return element("p", { class: "progress soft" }, reading.stopped ? `Stopped after ${formats.number(reading.read)} of ${formats.number(reading.total)} events. ` : words, reading.stopped ? null : stop);
}
