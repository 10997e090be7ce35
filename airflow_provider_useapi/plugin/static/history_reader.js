/** Reads the history of the connection that is shown: as far back as is asked for, and nothing twice. */

import { DAY } from "./history.js";
import { readHistory } from "./readings.js";

export class HistoryReader {
  /**
   * @param {RestApi} api
   * @param {Function} changed called whenever there is more to show.
   */
  constructor(api, changed) {
    this.api = api;
    this.changed = changed;
    this.days = 7;
    this.close();
  }

  /** Show the history of a connection; of the one that is shown, read what is new. */
  open(connection) {
    if (this.connection?.id !== connection.id) {
      this.close();
    }
    this.connection = connection;
    this.read();
  }

  close() {
    this.stopper?.abort();
    this.stopper = null;
    this.connection = null;
    this.audits = new Map();
    this.newest = this.oldest = null;
    this.progress = this.error = null;
  }

  /** How many days are wanted. */
  choose(days) {
    this.days = days;
    if (this.progress?.stopped) {
      this.progress = null;
    }
    this.stopper?.abort();
    this.stopper = null;
    this.changed();
    this.read();
  }

  stop() {
    this.stopper?.abort();
    this.stopper = null;
    if (this.progress) {
      this.progress.stopped = true;
    }
    this.changed();
  }

  /** What is to be shown now, with the audit whose numbers held when the window begins. */
  shown(now) {
    const begin = now - this.days * DAY;
    const known = [...this.audits.values()].sort((one, other) => one.at - other.at);
    const before = known.findLastIndex(({ at }) => at < begin);
    const audits = known.slice(Math.max(before, 0));
    return { audits, days: this.days, begin, end: now, progress: this.progress, error: this.error };
  }

  /** From when on events are wanted: from a little before the window, so that it begins with a number. */
  wantedFrom(now) {
    const usual = Math.min(1.5 * (this.connection.state.interval ?? DAY), 3 * DAY);
    return now - this.days * DAY - usual;
  }

  /** Read what is not known of the window: what came since the newest, and what is older. */
  async read() {
    if (!this.connection || this.stopper || this.progress?.stopped) {
      return;
    }
    const stopper = (this.stopper = new AbortController());
    const now = Date.now();
    const begin = this.wantedFrom(now);
    const older = this.oldest ?? now;
    if (begin < older) {
      this.progress = { read: 0, total: null };
      this.changed();
    }
    try {
      if (this.newest !== null) {
        await this.fill(this.newest, now, stopper.signal);
      }
      if (begin < older) {
        await this.fill(begin, older, stopper.signal);
      }
      this.newest = now;
      this.oldest = Math.min(this.oldest ?? begin, begin);
      this.error = null;
    } catch (error) {
      if (stopper.signal.aborted) {
        return;
      }
      this.error = error.message;
    }
    this.stopper = null;
    this.progress = null;
    this.changed();
  }

  async fill(from, to, signal) {
    for await (const { audits, read, total } of readHistory(this.api, this.connection, from, to, signal)) {
      for (const audit of audits) {
        this.audits.set(audit.id, audit);
      }
      if (this.progress) {
        this.progress = { read, total };
        this.changed();
      }
    }
  }
}
