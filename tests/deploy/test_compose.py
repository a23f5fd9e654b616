"""The compose file as data: what Docker would refuse, and what a review would."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

OURS = {"migrate", "web", "worker-chat", "worker-ingest", "beat"}
# Celery reads it, not Furrow: no operator has to choose it.
CELERYS_OWN = {"CELERY_SKIP_CHECKS"}
PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*\Z")


@pytest.fixture(scope="module")
def compose(deploy: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def known_variables(deploy: Path) -> set[str]:
    """Held equal to the settings by tests/docs."""
    text = (deploy / "env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    return names | {f"{name}_FILE" for name in names}


def test_every_process_of_the_design_has_a_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == OURS | {"postgres", "redis", "inference"}


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert PINNED.match(service["image"]), f"{name}: {service['image']}"


def test_database_image_is_new_enough(compose: dict[str, Any]) -> None:
    image = compose["services"]["postgres"]["image"]
    found = re.search(r":(\d+)\.(\d+)\.(\d+)-pg(\d+)", image)
    assert found is not None
    *pgvector, postgres = map(int, found.groups())
    assert pgvector >= [0, 8, 4]
    assert postgres >= 16


def test_services_get_only_variables_that_furrow_reads(
    compose: dict[str, Any], known_variables: set[str]
) -> None:
    for name in OURS:
        unknown = set(compose["services"][name]["environment"]) - known_variables - CELERYS_OWN
        assert not unknown, f"{name}: {unknown}"


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"KEY|PASSWORD|TOKEN|DATABASE_URL|OWNER_URL|REDIS_URL", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert value.startswith("/run/secrets/"), f"{name}: {variable}"


def test_named_secrets_are_granted_and_written(compose: dict[str, Any], deploy: Path) -> None:
    script = (deploy / "make-secrets").read_text(encoding="utf-8")
    written = set(re.findall(r"^write (\w+)", script, re.MULTILINE))
    assert set(compose["secrets"]) == written
    for name, service in compose["services"].items():
        used = set(re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(service)))
        assert used <= set(service.get("secrets", [])), name


def test_only_web_is_published_and_only_to_this_machine(compose: dict[str, Any]) -> None:
    published = {name: s["ports"] for name, s in compose["services"].items() if "ports" in s}
    assert published == {"web": ["127.0.0.1:8000:8000"]}
    assert compose["networks"]["inside"] == {"internal": True}
    outside = {n for n, s in compose["services"].items() if "outside" in s["networks"]}
    assert outside == {"web", "worker-ingest"}


def test_every_service_is_limited_and_locked_down(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= set(limits), name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        # PostgreSQL writes beside its data folder while it starts.
        assert service.get("read_only") is True or name == "postgres"


def test_long_running_services_are_watched(compose: dict[str, Any]) -> None:
    from_image = {"web", "inference"}
    for name, service in compose["services"].items():
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        if name not in from_image | {"beat"}:
            assert "test" in service["healthcheck"], name


def test_nothing_starts_before_the_tables_are_ready(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["command"][-1] == "prepare_database"
    for name in OURS - {"migrate"}:
        needs = services[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully", name


def test_owner_address_is_given_to_those_who_need_it(compose: dict[str, Any]) -> None:
    holders = {n for n, s in compose["services"].items() if "database_owner_url" in s["secrets"]}
    assert holders == {"migrate", "worker-ingest"}
