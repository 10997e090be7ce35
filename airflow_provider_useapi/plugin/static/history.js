/** What audits mean over time: steps of each service, and from when to when each finding held. */

import { about, tells } from "./snapshots.js";

export const DAY = 24 * 60 * 60 * 1000;

/**
 * The services of a history with their counts over time.
 *
 * A count holds from its audit to the next one. ``counts`` is null where an audit could not tell, and
 * a service that is no longer listed has no step any more.
 *
 * @param {Object[]} audits oldest first.
 * @param {number} until where the last step ends.
 * @returns {{slug: string, name: string, steps: {from: number, to: number, counts: ?Object}[]}[]}
 */
export function stepsOf(audits, until) {
  const services = new Map();
  audits.forEach((audit, index) => {
    const to = audits[index + 1]?.at ?? until;
    if (!tells(audit.snapshot)) {
      for (const known of services.values()) {
        add(known, { from: audit.at, to, counts: null });
      }
      return;
    }
    for (const { slug, name, total, active, error } of audit.snapshot.services) {
      const known = services.get(slug) ?? { slug, name, steps: [] };
      services.set(slug, { ...known, name });
      add(services.get(slug), { from: audit.at, to, counts: { total, active, error } });
    }
    for (const known of services.values()) {
      // Unknown ends when an audit tells: of one that is gone it tells nothing.
      known.isListed = audit.snapshot.services.some(({ slug }) => slug === known.slug);
    }
  });
  return [...services.values()].map(({ slug, name, steps }) => ({ slug, name, steps }));
}

/**
 * From when to when each finding held, newest first.
 *
 * It begins with its ``since``, which may be before the first audit, and is gone with the first audit
 * that does not find it any more. What an audit could not look after is held, not gone.
 *
 * @param {Object[]} audits oldest first.
 * @returns {{found: Object, from: number, to: ?number}[]} ``to`` is null while it lasts.
 */
export function spansOf(audits) {
  const open = new Map();
  const spans = [];
  for (const { at, snapshot } of audits) {
    const now = new Set();
    for (const found of snapshot.findings) {
      const key = about(found);
      now.add(key);
      const from = found.since ?? at;
      const known = open.get(key);
      if (known && known.from === from) {
        known.found = found;
        continue;
      }
      if (known) {
        known.to = at; // gone and back between two audits that are shown
      }
      const span = { found, from, to: null };
      open.set(key, span);
      spans.push(span);
    }
    for (const held of snapshot.held) {
      now.add(about(held));
    }
    for (const [key, span] of open) {
      if (!now.has(key)) {
        span.to = at;
        open.delete(key);
      }
    }
  }
  return spans.sort((one, other) => (other.to ?? Infinity) - (one.to ?? Infinity) || other.from - one.from);
}

/** How a service or a span lies in a window of time, in percent of it; null if outside. */
export function placed(from, to, begin, end) {
  const left = Math.max(from, begin);
  const right = Math.min(to, end);
  if (right < left || to < begin || from > end) {
    return null;
  }
  const scale = 100 / (end - begin);
  return { x: (left - begin) * scale, width: (right - left) * scale };
}

function add(service, step) {
  const last = service.steps.at(-1);
  if (last && last.to === step.from && isSame(last.counts, step.counts)) {
    last.to = step.to;
  } else if (step.counts !== null || service.isListed !== false) {
    service.steps.push(step);
  }
}

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
