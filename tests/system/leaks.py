"""Where a text that must not get out stands after all: files and database of an Airflow."""

from __future__ import annotations

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from .stack import LocalAirflow


def base64_forms(secret: str) -> set[str]:
    """What base64 makes of a text inside another one, wherever it begins."""
    forms = set()
    for before in range(3):
        encoded = base64.b64encode(b"-" * before + secret.encode()).decode()
        forms.add(encoded[-(-before * 8 // 6) :].rstrip("=")[:-1])
    return forms


def holds(text: str, canaries: AbstractSet[str]) -> bool:
    """Whether one of them is in a text."""
    return any(canary in text for canary in canaries)


def holding(files: list[Path], canaries: AbstractSet[str]) -> list[Path]:
    """The files that hold one of them."""
    return [path for path in files if holds(path.read_text(errors="replace"), canaries)]


def logs(airflow: LocalAirflow) -> list[Path]:
    """Every log of an Airflow."""
    return [path for path in airflow.logs.rglob("*") if path.is_file()]


def stored(airflow: LocalAirflow) -> Iterator[tuple[str, str]]:
    """Every value of the database as text, with its column; that of triggers decrypted."""
    made = json.loads((airflow.home / "migrated.json").read_text())
    fernet = Fernet(made["secret"])
    tables = defaultdict(list)
    for table, column in airflow.query(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    ):
        tables[table].append(f"{table}.{column}")
    for table, columns in tables.items():
        for row in airflow.query(f'SELECT * FROM "{table}"'):
            for column, value in zip(columns, row, strict=True):
                text = _readable(value)
                if column == "trigger.kwargs":  # where a token stands by right is left encrypted
                    text = fernet.decrypt(text.encode()).decode()
                yield column, text


def _readable(value: Any) -> str:
    """A value as text; bytes as they are, and as what they were before they were packed."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if not isinstance(value, memoryview | bytes):
        return str(value)
    text = bytes(value).decode("latin-1")
    with suppress(zlib.error):
        text += zlib.decompress(bytes(value)).decode("latin-1")
    return text
