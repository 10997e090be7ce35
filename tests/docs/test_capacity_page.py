"""docs/capacity.md tells of the catalogue."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_useapi.api.services import CATALOGUE

PAGE = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text()


def rows(after: str) -> list[str]:
    """The rows of the first table behind a heading, without its head."""
    table = PAGE.partition(f"## {after}\n")[2].partition("\n|---")[2]
    return table.partition("\n\n")[0].splitlines()[1:]


def test_the_table_is_the_catalogue() -> None:
    assert rows("Which service can tell") == [
        "| {} | {} | {} | {} | {} |".format(
            f"`{service.slug}`",
            "<br>".join(f"`{endpoint.path}`" for endpoint in service.live),
            f"[{service.certainty}](https://useapi.net/docs/{service.source})",
            "published" if service.publishes_limit else "**not published**",
            service.note,
        )
        for service in CATALOGUE
        if service.live
    ]
    assert rows("The others") == [
        f"| `{service.slug}` | {service.note} |" for service in CATALOGUE if not service.live
    ]


def test_what_total_is_stands_in_the_catalogue() -> None:
    assert rows("Credits") == [
        f"| `{service.slug}` | {service.credits.total} | {service.credits.unit} |"
        for service in CATALOGUE
        if service.credits and service.credits.total
    ]
