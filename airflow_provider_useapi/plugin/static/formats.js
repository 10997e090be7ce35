/** Moments, times and numbers as the reader is used to them, in the time zone of their Airflow. */

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

export class Formats {
  /** @param {string} timeZone an IANA name; one that the browser does not know is passed over. */
  constructor(timeZone) {
    this.timeZone = known(timeZone);
    const zone = { timeZone: this.timeZone };
    const day = { day: "numeric", month: "short", ...zone };
    this.formats = {
      moment: new Intl.DateTimeFormat(undefined, { ...day, year: "numeric", hour: "2-digit", minute: "2-digit" }),
      day: new Intl.DateTimeFormat(undefined, day),
      date: new Intl.DateTimeFormat(undefined, { ...day, year: "numeric" }),
      clock: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", ...zone }),
    };
    this.plain = new Intl.NumberFormat();
  }

  moment(at) {
    return this.formats.moment.format(at);
  }

  day(at) {
    return this.formats.day.format(at);
  }

  date(at) {
    return this.formats.date.format(at);
  }

  clock(at) {
    return this.formats.clock.format(at);
  }

  number(value) {
    return value === null ? "?" : this.plain.format(value);
  }

  /** A number with its noun: ``counted(2, "warning")`` is "2 warnings". */
  counted(value, noun) {
    return `${this.number(value)} ${noun}${value === 1 ? "" : "s"}`;
  }

  /** How long something lasts, in its largest unit: "3 days". */
  duration(milliseconds) {
    for (const [unit, length] of UNITS) {
      if (milliseconds >= length) {
        return this.counted(Math.floor(milliseconds / length), unit);
      }
    }
    return "less than a minute";
  }

  /** How long ago something was. */
  ago(at, now) {
    return now - at < 60_000 ? "just now" : `${this.duration(now - at)} ago`;
  }
}

function known(timeZone) {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: timeZone || undefined }).resolvedOptions().timeZone;
  } catch {
    return new Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}
