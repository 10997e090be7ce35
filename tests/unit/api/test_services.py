from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.service_names import nearest_first, service_of, slug_of
from airflow_provider_useapi.api.services import CATALOGUE


@pytest.mark.parametrize(
    ("written", "slug"),
    [
        ("kling", "kling"),
        ("Kling API", "kling"),
        ("  kling ai api ", "kling"),
        ("KLING", "kling"),
        ("MiniMax API", "minimax"),
        ("Runway AP", "runwayml"),
        ("Runway API", "runwayml"),
        ("runway", "runwayml"),
        ("Google Flow API", "google-flow"),
        ("google_flow", "google-flow"),
        ("Flow Music API", "flowmusic"),
        ("FlowMusic API", "flowmusic"),
        ("InsightFaceSwap API", "faceswap"),
        ("ACE Music API", "acemusic"),
        # A service that nobody has heard of yet.
        ("Brand New API", "brandnew"),
        ("brand-new", "brandnew"),
        ("Über AI", "überai"),
        ("API", "api"),
        ("!!!", "!!!"),
        ("", ""),
    ],
)
def test_a_service_is_known_by_its_slug_and_its_key(written: str, slug: str) -> None:
    assert slug_of(written) == slug


def test_every_spelling_in_the_catalogue_belongs_to_one_service() -> None:
    for service in CATALOGUE:
        for spelling in (service.slug, service.key, *service.aliases):
            assert slug_of(spelling) == slug_of(spelling.upper()) == service.slug


@given(st.text())
def test_any_name_has_a_slug_that_does_not_depend_on_case_or_margins(name: str) -> None:
    assert slug_of(f" {name}\t") == slug_of(name)
    assert slug_of(slug_of(name)) == slug_of(slug_of(slug_of(name)))


def test_the_nearest_name_comes_first() -> None:
    names = ["MiniMax API", "Kling API", "Runway AP"]
    assert nearest_first("klng", names)[0] == "Kling API"
    assert nearest_first("mini-max", names)[0] == "MiniMax API"
    assert sorted(nearest_first("", names)) == sorted(names)


def test_an_entry_is_found_by_any_name() -> None:
    for service in CATALOGUE:
        for spelling in (service.slug, service.key.upper(), *service.aliases):
            assert service_of(spelling) is service
    assert service_of("Brand New API") is None


def test_every_entry_says_what_is_to_be_known_of_it() -> None:
    for service in CATALOGUE:
        assert service.source
        assert service.live or service.note, "why not"
        assert not (service.live and service.retired)


def test_no_endpoint_has_side_effects() -> None:
    paths = [endpoint.path for service in CATALOGUE for endpoint in service.live]
    assert len(set(paths)) == len(paths)
    for path in paths:
        # What comes below /accounts signs in, reads balances upstream or claims daily credits.
        assert path.partition("?")[0].strip("/").split("/")[2:] in (
            ["accounts"],
            ["jobs"],
            ["scheduler"],
            ["scheduler", "available"],
        )
