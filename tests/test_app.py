"""The composed application: prefixes, own hosts, readiness, the documents that describe it."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.platforms import client, house_of

HOSTS = {"IATI_HOSTS": '{"datastore": "data.example.org"}', "IATI_PUBLIC_URL": "http://127.0.0.1:8000"}


def test_a_system_answers_below_its_prefix_and_at_the_root_of_its_own_host(tmp_path: Path) -> None:
    house = house_of(tmp_path / "data", **HOSTS)
    with client(house) as get:
        below = get("/datastore/activity/select?q=*:*")
        own = get("/activity/select?q=*:*", headers={"Host": "data.example.org"})
        assert below.json()["response"] == own.json()["response"] == {"numFound": 0, "start": 0, "numFoundExact": True, "docs": []}
        assert get("/activity/select?q=*:*").status_code == 404
        moved = get("/organisations?q=water", headers={"Host": "data.example.org"})
        assert (moved.status_code, moved.headers["location"]) == (307, "http://127.0.0.1:8000/organisations?q=water")
        assert get("/", headers={"Host": "evil.example.org"}).status_code == 400


def test_a_prefix_without_slash_leads_on_and_unknown_places_are_answered_in_kind(tmp_path: Path) -> None:
    with client(house_of(tmp_path / "data")) as get:
        assert get("/validator").headers["location"] == "/validator/"
        assert get("/nowhere", headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html")
        assert get("/openapi/nothing.json").json() == {"error": "no such system", "systems": ["bulk-data", "datastore", "validator"]}
        assert get("/openapi/datastore.json").json()["openapi"].startswith("3.")
        assert get("/health").text == "alive\n"
        assert get("/metrics").status_code == 200


def test_readiness_fails_only_when_an_engine_fails(tmp_path: Path) -> None:
    house = house_of(tmp_path / "data")
    with client(house) as get:
        assert get("/ready").status_code == 200
        generations = tmp_path / "data" / "generations"
        generations.mkdir(exist_ok=True)
        (generations / "CURRENT").write_text("7\n")
        answer = get("/ready")
        assert (answer.status_code, answer.json()["failing"]) == (503, {"generation": "GenerationError"})
