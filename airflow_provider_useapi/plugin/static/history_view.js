/** The history of a connection as a picture: steps of each service, spans of each finding. */

import { drawn, element, foreign } from "./elements.js";
import { DAY, placed, spansOf, stepsOf } from "./history.js";

const MOST_SPANS = 60;
const MOST_SERVICES = 60;

/**
 * @param {Object[]} audits oldest first.
 * @param {number} begin of the window of time, and its ``end``.
 */
export function historyView(audits, begin, end, formats) {
  const services = stepsOf(audits, end).slice(0, MOST_SERVICES);
  const spans = spansOf(audits).filter(({ to }) => (to ?? end) >= begin);
  const highest = Math.max(1, ...services.flatMap(({ steps }) => steps.map(({ counts }) => counts?.total ?? 0)));
  return element(
    "div",
    { class: "card history" },
    services.map((service) => serviceRow(service, highest, begin, end, formats)),
    spans.length ? element("h4", { class: "row-head" }, "Findings") : null,
    spans.slice(0, MOST_SPANS).map((span) => spanRow(span, begin, end, formats)),
    spans.length > MOST_SPANS ? element("p", { class: "soft row-more" }, `and ${formats.counted(spans.length - MOST_SPANS, "more finding")}; the table has all of them`) : null,
    axis(begin, end, formats),
  );
}

function serviceRow(service, highest, begin, end, formats) {
  const last = service.steps.findLast(({ counts }) => counts)?.counts;
  const label = last
    ? `${service.slug}: ${last.active} of ${last.total} active, ${last.error} in error at the last audit that tells`
    : `${service.slug}: unknown`;
  const shapes = service.steps.flatMap((step) => stepShapes(step, highest, begin, end, formats));
  return element(
    "div",
    { class: "row", "data-key": `h-${service.slug}` },
    element("span", { class: "row-name" }, foreign(service.slug), element("span", { class: "soft below" }, last ? `${formats.number(last.active)} of ${formats.number(last.total)}` : "unknown")),
    drawn("svg", { class: "steps", role: "img", "aria-label": label }, grid(begin, end), shapes),
  );
}

function stepShapes({ from, to, counts }, highest, begin, end, formats) {
  const place = placed(from, to, begin, end);
  if (!place) {
    return [];
  }
  const x = { x: `${place.x}%`, width: `${place.width}%` };
  if (!counts) {
    return [drawn("rect", { class: "untold", ...x, height: "100%" }, drawn("title", {}, `${formats.moment(from)}: not told`))];
  }
  const idle = Math.max(0, counts.total - counts.active - counts.error);
  let below = 0;
  const shapes = [["active", counts.active], ["error", counts.error], ["idle", idle]].map(([kind, value]) => {
    below += value;
    const height = (100 * value) / highest;
    return value ? drawn("rect", { class: kind, ...x, y: `${100 - (100 * below) / highest}%`, height: `${height}%` }) : null;
  });
  const words = `${formats.moment(from)} to ${formats.moment(to)}: ${counts.active} active, ${counts.error} in error, ${counts.total} in total`;
  // The whole column answers to the pointer.
  return [...shapes, drawn("rect", { class: "column", ...x, height: "100%" }, drawn("title", {}, words))];
}

function spanRow({ found, from, to }, begin, end, formats) {
  const until = to === null ? "still there" : `gone ${formats.moment(to)}`;
  const words = `${found.code} ${found.service ?? ""}: ${found.message}. Since ${formats.moment(from)}, ${until}`;
  const place = placed(from, to ?? end, begin, end);
  return element(
    "div",
    { class: `row span ${found.severity}` },
    element("span", { class: "row-name", title: found.message }, element("span", { class: "code" }, found.code), " ", foreign(found.service ?? "account")),
    drawn(
      "svg",
      { class: "track", role: "img", "aria-label": words },
      grid(begin, end),
      place && drawn("rect", { class: "lasts", x: `${place.x}%`, width: `${Math.max(place.width, 0.6)}%`, y: "25%", height: "50%", rx: 3 }, drawn("title", {}, words)),
    ),
  );
}

function ticks(begin, end) {
  const days = Math.round((end - begin) / DAY);
  const count = days <= 7 ? days : 6;
  return Array.from({ length: count }, (_, index) => begin + ((index + 0.5) * (end - begin)) / count);
}

function grid(begin, end) {
  return ticks(begin, end).map((at) => {
    const { x } = placed(at, at, begin, end);
    return drawn("line", { class: "grid", x1: `${x}%`, x2: `${x}%`, y1: 0, y2: "100%" });
  });
}

function axis(begin, end, formats) {
  return element(
    "div",
    { class: "row axis", "aria-hidden": "true" },
    element("span", { class: "row-name" }),
    drawn(
      "svg",
      { class: "track" },
      ticks(begin, end).map((at) => drawn("text", { x: `${placed(at, at, begin, end).x}%`, y: "70%", "text-anchor": "middle" }, formats.day(at))),
    ),
  );
}
