"""What an installed wheel holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IS_3_3 = tuple(map(int, metadata.version("apache-airflow").split(".")[:2])) >= (3, 3)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_the_package_the_examples_and_the_licence(site: Path) -> None:
    package = site / "airflow_provider_useapi"
    assert (package / "py.typed").is_file()
    assert (package / "audit" / "report.html").is_file()
    page = ROOT / "airflow_provider_useapi" / "plugin" / "static"
    packed = {path.name for path in (package / "plugin" / "static").iterdir()}
    assert packed == {path.name for path in page.iterdir()}
    assert {"page.html", "page.css", "main.js", "icon.svg"} <= packed
    examples = {path.name for path in (package / "example_dags").glob("*.py")}
    assert examples == {path.name for path in (ROOT / "dags_examples").glob("*.py")}
    assert {path.name for path in site.iterdir() if path.is_dir()} == {
        "airflow_provider_useapi",
        next(path.name for path in site.glob("*.dist-info")),
    }
    assert list(site.glob("*.dist-info/licenses/LICENSE"))


def test_airflow_finds_the_provider_and_the_plugin(site: Path) -> None:
    (written,) = site.glob("*.dist-info/entry_points.txt")
    points = ConfigParser()
    points.read_string(written.read_text())
    assert dict(points["airflow.plugins"]) == {
        "useapi": "airflow_provider_useapi.plugin.airflow_plugin:UseApiPlugin"
    }
    assert set(points.sections()) == {"airflow.plugins", "apache_airflow_provider", "pytest11"}


def test_the_metadata(site: Path) -> None:
    (written,) = site.glob("*.dist-info/METADATA")
    data = HeaderParser().parsestr(written.read_text())
    assert data["License-Expression"] == "Apache-2.0"
    assert data["Requires-Python"] == ">=3.11"
    assert "Framework :: Apache Airflow :: Provider" in data.get_all("Classifier", [])
    assert data.get_all("Project-URL") is None, "no address that nobody has"


@pytest.mark.skipif(not IS_3_3, reason="Airflow looks for providers' examples from 3.3 on")
def test_airflow_finds_the_examples(site: Path) -> None:
    script = (
        "import json; from airflow.dag_processing.bundles.manager import DagBundlesManager as M;"
        "print(json.dumps([str(b.path) for b in M().get_all_dag_bundles()]))"
    )
    env = {**os.environ, "PYTHONPATH": str(site), "AIRFLOW__CORE__LOAD_EXAMPLES": "True"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=site,  # not here, where the sources would come first
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    folders = json.loads(done.stdout.splitlines()[-1])
    assert str(site / "airflow_provider_useapi" / "example_dags") in folders
