"""The pictures of Airflow in ``docs`` can be taken, and are of the size that they would be now."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from .airflow_pictures import AIRFLOW_PICTURES, take_of_airflow
from .browser import browser
from .screenshots import DOCS


@pytest.mark.timeout(300)
def test_the_pictures_of_airflow_can_be_taken(tmp_path: Path) -> None:
    with browser() as chromium:
        take_of_airflow(chromium, tmp_path / "airflow", tmp_path)
    for name in AIRFLOW_PICTURES:
        taken, kept = (folder.joinpath(name).read_bytes() for folder in (tmp_path, DOCS))
        assert struct.unpack(">II", taken[16:24]) == struct.unpack(">II", kept[16:24])
        assert len(kept) < 150_000
