/** The list of connections, worst first. */

import { accountsOf } from "./connections.js";
import { element, foreign } from "./elements.js";

/** The address of a connection within the page. */
export function connectionHash(id) {
  return `#/connections/${encodeURIComponent(id)}`;
}

/**
 * @param {{id: string, events: number, state: Object}[]} rows worst first.
 * @param {Formats} formats
 * @param {number} now in milliseconds.
 */
export function listView(rows, formats, now) {
  const heads = ["Connection", "State", "Subscription", "Accounts active", "Last audit"];
  return element(
    "table",
    { class: "card list" },
    element("caption", { class: "unseen" }, "Audited connections, worst first"),
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, rows.map((row) => line(row, formats, now))),
  );
}

/** Pills that say how a connection is, in words. */
export function pills(state, formats) {
  const shown = [];
  if (state.critical) {
    shown.push(pill("critical", `${formats.number(state.critical)} critical`));
  }
  if (state.warnings) {
    shown.push(pill("warning", formats.counted(state.warnings, "warning")));
  }
  if (state.level === "fine") {
    shown.push(pill("fine", "no findings"));
  }
  if (state.level === "unknown") {
    shown.push(pill("unknown", "no audit to see"));
  }
  if (state.isOverdue) {
    shown.push(pill("overdue", "audit overdue"));
  }
  return shown;
}

export function subscriptionWord(snapshot) {
  return snapshot.isActive === null ? "unknown" : snapshot.isActive ? "active" : "not active";
}

function line({ id, events, state }, formats, now) {
  const name = element("a", { href: connectionHash(id), class: "name" }, foreign(id));
  const cells = state.newest
    ? told(state, formats, now)
    : [
        element(
          "td",
          { colspan: 3, class: "soft", "data-head": "Note" },
          events ? "The newest events of its asset are of no audit that this page can read." : NO_EVENTS,
        ),
      ];
  return element(
    "tr",
    { "data-key": id, class: state.level },
    element("th", { scope: "row" }, name),
    element("td", { "data-head": "State" }, element("span", { class: "pills" }, pills(state, formats))),
    cells,
  );
}

const NO_EVENTS =
  "Airflow shows no event of its asset: it was not audited yet, or you may not see the DAGs that did, or Airflow no longer knows them.";

function told(state, formats, now) {
  const { snapshot, at } = state.newest;
  const { active, total } = accountsOf(state.known);
  return [
    element(
      "td",
      { "data-head": "Subscription", class: snapshot.isActive === false ? "bad" : null },
      subscriptionWord(snapshot),
    ),
    element("td", { "data-head": "Accounts active" }, meter(active, total), total === null ? "unknown" : accountsWords(active, total, formats)),
    element(
      "td",
      { "data-head": "Last audit", title: formats.moment(at) },
      element("time", { datetime: new Date(at).toISOString() }, formats.ago(at, now)),
    ),
  ];
}

function accountsWords(active, total, formats) {
  return [element("b", {}, formats.number(active)), ` of ${formats.number(total)}`];
}

function meter(active, total) {
  return total ? element("meter", { max: total, value: active, "aria-hidden": "true" }) : null;
}

function pill(kind, words) {
  return element("span", { class: `pill ${kind}` }, words);
}
