/** The history of a connection as tables: for those who cannot see the picture, and for copying. */

import { taskAddress } from "./airflow_window.js";
import { element, foreign } from "./elements.js";
import { spansOf } from "./history.js";
import { lastKnown } from "./snapshots.js";

/** @param {Object[]} audits oldest first. */
export function historyTables(audits, formats) {
  return [
    element("details", { "data-key": "audits", class: "tables" }, element("summary", {}, `Audits as a table (${formats.number(audits.length)})`), auditsTable(audits, formats)),
    element("details", { "data-key": "spans", class: "tables" }, element("summary", {}, "Findings as a table"), spansTable(audits, formats)),
  ];
}

function auditsTable(audits, formats) {
  const rows = [...audits].reverse().map(({ id, at, snapshot, task }) => {
    const known = lastKnown(snapshot) === snapshot ? snapshot.services : [];
    const services = known.map(({ slug, active, error, total }) => `${slug} ${active}/${error}/${total}`).join(", ");
    const link = task
      ? element("a", { href: taskAddress(task), "data-airflow": true }, formats.moment(at))
      : formats.moment(at);
    return [
      String(id),
      [link, foreign(services || "not told"), formats.counted(snapshot.findings.length, "finding")],
    ];
  });
  return table(["Audit", "Active / in error / total", "Findings"], rows);
}

function spansTable(audits, formats) {
  const rows = spansOf(audits).map(({ found, from, to }, index) => [
    String(index),
    [
      found.code,
      foreign(found.service ?? "account"),
      foreign(found.message),
      formats.moment(from),
      to === null ? "still there" : formats.moment(to),
    ],
  ]);
  return table(["Code", "Service", "What", "Since", "Gone"], rows);
}

function table(heads, rows) {
  return element(
    "div",
    { class: "card wide", tabindex: 0, role: "region", "aria-label": `Table: ${heads.join(", ")}` },
    element(
      "table",
      { class: "plain" },
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, rows.map(([key, cells]) => element("tr", { "data-key": key }, cells.map((cell) => element("td", {}, cell))))),
    ),
  );
}
