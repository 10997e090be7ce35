"""
Known vulnerabilities of what this package needs: ``make audit``.

pip-audit asks a service about the versions that are installed, which are those of the constraints.
A version that nobody would tell about is not taken for a safe one, as pip-audit does by itself: it
says "skipped" and ends well where an index answers without such a service.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.package.run_time import AIRFLOW, needed


def main(command: str) -> int:
    """
    Print what is known; return the exit code, 0 only if each version was told to be safe.

    :param command: the path of pip-audit.
    """
    pins = {name: each.version for name, each in needed().items() if name != AIRFLOW}
    try:
        told = audited(command, pins)
    except ConnectionError as e:
        told = [{"name": name, "skip_reason": str(e)} for name in pins]
    vulnerable, silent = list(known(told)), untold(pins, told)
    for line in vulnerable:
        print(line)
    if silent:
        reason = next((each["skip_reason"] for each in told if "skip_reason" in each), "no answer")
        print(f"NOT AUDITED: {', '.join(silent)}. Of the first: {reason}")
    audited_ones = f"{len(pins) - len(silent)} of {len(pins)} dependencies audited"
    print(f"Airflow {version(AIRFLOW)}: {audited_ones}, vulnerabilities found: {len(vulnerable)}.")
    return bool(vulnerable or silent)


def audited(command: str, pins: Mapping[str, str]) -> list[dict[str, Any]]:
    """
    What pip-audit tells of each version.

    :param command: its path.
    :param pins: versions by name.
    :raises ConnectionError: if it has no answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "pins.txt"
        listed.write_text("".join(f"{name}=={number}\n" for name, number in pins.items()))
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        done = subprocess.run(
            [command, "--requirement", str(listed), *options],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        raise ConnectionError(done.stderr.strip().rpartition("\n")[2]) from None
    return told


def known(told: list[dict[str, Any]]) -> Iterator[str]:
    """
    A line for each vulnerability.

    :param told: what pip-audit has found, version by version.
    """
    for each in told:
        for found in each.get("vulns", ()):
            names = ", ".join([found["id"], *found["aliases"]])
            fixed = ", ".join(found["fix_versions"]) or "no release"
            yield f"{each['name']} {each['version']}: {names}; fixed in {fixed}"


def untold(pins: Mapping[str, str], told: list[dict[str, Any]]) -> list[str]:
    """
    The versions of which the service said nothing, not even that they are safe.

    :param pins: versions by name.
    :param told: what pip-audit has found, version by version.
    """
    answered = {(each["name"], each["version"]) for each in told if "vulns" in each}
    return [f"{name} {number}" for name, number in pins.items() if (name, number) not in answered]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
