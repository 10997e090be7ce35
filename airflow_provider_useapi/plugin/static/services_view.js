/** The services of a snapshot: a bar for each, and its linked accounts. */

import { drawn, element, foreign } from "./elements.js";

const MOST = 100;
const MARKS = { fine: "OK", warned: "!", broken: "x" };

/**
 * @param {Object} snapshot the last that tells of services.
 * @param {Formats} formats
 */
export function servicesView(snapshot, formats) {
  const services = snapshot.services.slice(0, MOST);
  const scale = Math.max(snapshot.cap ?? 1, 1, ...services.map(({ total }) => total));
  const more = snapshot.services.length - services.length;
  return [
    element(
      "ul",
      { class: "card services" },
      services.map((service) => line(service, snapshot, scale, formats)),
      services.length ? null : element("li", { class: "empty" }, "The account lists no service."),
      more ? element("li", { class: "empty" }, `and ${formats.counted(more, "more service")}`) : null,
    ),
    legend(),
  ];
}

function line(service, snapshot, scale, formats) {
  const over = snapshot.cap === null ? 0 : Math.max(0, service.total - snapshot.cap);
  return element(
    "li",
    { "data-key": `s-${service.slug}` },
    element("span", { class: "name" }, foreign(service.name), element("span", { class: "soft below" }, foreign(service.slug))),
    bar(service, over, scale),
    numbers(service, over, formats),
    accounts(service.slug, snapshot, formats),
  );
}

function bar(service, over, scale) {
  const idle = Math.max(0, service.total - service.active - service.error);
  const parts = [["active", service.active], ["error", service.error], ["idle", idle], ["left", service.left ?? 0]];
  let begin = 0;
  const shapes = parts.map(([kind, length]) => {
    const shape = part(kind, begin, Math.min(length, scale - begin), scale);
    begin += length;
    return shape;
  });
  if (over) {
    shapes.push(part("over", service.total - over, over, scale));
  }
  const label = `${service.active} active, ${service.error} in error, of ${service.total}`;
  return drawn("svg", { class: "bar", role: "img", "aria-label": label }, shapes);
}

function part(kind, begin, length, scale) {
  if (length <= 0) {
    return null;
  }
  return drawn("rect", { class: kind, x: `${(100 * begin) / scale}%`, width: `${(100 * length) / scale}%`, height: "100%" });
}

function numbers(service, over, formats) {
  const left = over
    ? [element("b", { class: "bad" }, formats.number(over)), " over the limit"]
    : [element("b", {}, formats.number(service.left)), " left"];
  return element(
    "span",
    { class: "numbers" },
    element("b", {}, formats.number(service.active)),
    " active",
    service.error ? [" · ", element("b", { class: "bad" }, formats.number(service.error)), " in error"] : null,
    " · ",
    left,
  );
}

function accounts(slug, snapshot, formats) {
  const linked = snapshot.linked.get(slug);
  if (!linked || !linked.accounts.length) {
    return null;
  }
  const hints = linked.accounts.map(({ hint }) => hint);
  return element(
    "ul",
    { class: "accounts" },
    linked.accounts.map((account) => {
      const isTwice = hints.indexOf(account.hint) !== hints.lastIndexOf(account.hint);
      return accountLine(account, isTwice ? `${account.hint} #${account.ref}` : account.hint, slug, snapshot, formats);
    }),
    linked.leftOut ? element("li", { class: "soft" }, element("span", { class: "left-out" }, `and ${formats.number(linked.leftOut)} more`)) : null,
  );
}

function accountLine(account, name, slug, snapshot, formats) {
  const findings = snapshot.findings.filter((found) => found.service === slug && found.ref === account.ref);
  const kind = !account.healthy ? "broken" : findings.length ? "warned" : "fine";
  const troubles = findings.map(({ message }) => (message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message));
  if (!account.healthy && !findings.some(({ code }) => code === "UA010")) {
    troubles.unshift(account.reason ?? "in trouble");
  }
  const since = Math.min(...findings.map((found) => found.since ?? Infinity));
  const left = [
    account.expires === null ? null : `login until ${formats.date(account.expires)}`,
    account.credits === null ? null : `${formats.number(account.credits)} ${account.unit ?? "credits"}`,
  ].filter(Boolean);
  return element(
    "li",
    { class: kind },
    element("span", { class: "mark" }, MARKS[kind]),
    element("span", { class: "who" }, foreign(name)),
    element(
      "span",
      { class: "trouble" },
      foreign(troubles.join("; ")),
      Number.isFinite(since) ? element("span", { class: "soft" }, ` since ${formats.date(since)}`) : null,
    ),
    element("span", { class: "has-left soft" }, foreign(left.join(" · "))),
  );
}

function legend() {
  const kinds = [["active", "active"], ["error", "in error"], ["idle", "neither"], ["left", "allocation left"], ["over", "over the limit"]];
  return element(
    "p",
    { class: "legend", "aria-hidden": "true" },
    kinds.map(([kind, words]) => element("span", {}, drawn("svg", { class: "swatch" }, drawn("rect", { class: kind, width: "100%", height: "100%" })), words)),
  );
}
