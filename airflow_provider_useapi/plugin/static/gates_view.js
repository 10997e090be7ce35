/** The gates that wait, of all connections. */

import { taskAddress } from "./airflow_window.js";
import { element, foreign } from "./elements.js";
import { WAITING } from "./gates.js";

/**
 * @param {Object[]} gates the longest waiting first.
 * @param {Map<string, string>} reasons of those whose log was read, by key.
 */
export function gatesView(gates, reasons, formats, now) {
  if (!gates.length) {
    return element("p", { class: "card empty" }, "No gate that you may see is waiting.");
  }
  const heads = ["Gate", "Waits for", "Since", "Why"];
  return element(
    "table",
    { class: "card list gates" },
    element("caption", { class: "unseen" }, "Waiting gates, the longest waiting first"),
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, gates.map((gate) => line(gate, reasons.get(gate.key), formats, now))),
  );
}

function line(gate, reason, formats, now) {
  const label = gate.label === null ? "" : ` [${gate.label}]`;
  const link = element(
    "a",
    { href: taskAddress(gate), "data-airflow": true, class: "name", title: "Its log in Airflow" },
    foreign(`${gate.dag} · ${gate.task}${label}`),
  );
  return element(
    "tr",
    { "data-key": gate.key },
    element("th", { scope: "row" }, link, element("span", { class: "soft below" }, foreign(gate.run))),
    element("td", { "data-head": "Waits for" }, whatFor(gate)),
    element("td", { "data-head": "Since" }, since(gate, formats, now), element("span", { class: "soft below" }, WAITING[gate.state])),
    element("td", { "data-head": "Why", class: "why" }, why(gate, reason)),
  );
}

function whatFor(gate) {
  if (!gate.connection) {
    return element("span", { class: "soft" }, gate.startedInTriggerer ? "started in the triggerer" : "not told by Airflow");
  }
  return [
    foreign(gate.connection),
    gate.service ? element("span", { class: "soft below" }, foreign(gate.service)) : null,
  ];
}

function since(gate, formats, now) {
  if (gate.since !== null) {
    return element("time", { datetime: new Date(gate.since).toISOString(), title: formats.moment(gate.since) }, formats.ago(gate.since, now));
  }
  return gate.lastCheck === null ? "unknown" : `last check ${formats.ago(gate.lastCheck, now)}`;
}

function why(gate, reason) {
  const button = element(
    "button",
    { type: "button", "data-action": "reason", "data-value": gate.key, "aria-label": `Read the log of ${gate.task} for the reason` },
    reason === undefined ? "read its log" : "read again",
  );
  return [reason === undefined ? null : element("span", { class: "reason" }, foreign(reason)), " ", button];
}
