"""docker-compose.yml and Dockerfile: valid, whole, and without torch where pages are answered."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from tests import dockerfile
from tests.worker import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def test_compose_file_is_valid_by_the_official_schema() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    rules = json.loads(schema.read_text())
    validator = jsonschema.validators.validator_for(rules)(rules)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    broken = {**COMPOSE, "services": {"web": {"imagine": "nginx"}}}
    assert not validator.is_valid(broken), "the schema takes anything"


def test_services() -> None:
    assert set(SERVICES) == {"db", "redis", "migrate", "web", "worker"}


@pytest.mark.parametrize("name", SERVICES)
def test_dependencies_are_services_that_can_meet_the_condition(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        service = SERVICES[needed]
        if how["condition"] == "service_healthy":
            assert service["healthcheck"]["test"], f"{needed} has no health check"
        else:
            assert how["condition"] == "service_completed_successfully"
            assert service["restart"] == "no", f"{needed} would never be over"


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_what_runs_on_is_watched_and_restarted(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["retries"] > 0


def test_pages_and_photos_wait_for_the_migrations() -> None:
    for name in ("web", "worker"):
        assert set(SERVICES[name]["depends_on"]) == {"db", "redis", "migrate"}


def test_volumes_are_declared_and_used() -> None:
    used = {
        volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


def test_only_the_web_server_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


@pytest.mark.parametrize("name", OURS)
def test_images_are_built_from_stages_that_exist_and_do_not_run_as_root(name: str) -> None:
    target = SERVICES[name]["build"]["target"]
    assert dockerfile.stages(DOCKERFILE)[target].values("USER") == ["shop"]


def test_only_the_worker_has_torch() -> None:
    assert {name: SERVICES[name]["build"]["target"] for name in OURS} == {
        "migrate": "web",
        "web": "web",
        "worker": "worker",
    }
    web = dockerfile.packages(DOCKERFILE, "web")
    assert 'pip install --no-cache-dir ".[api]"' in web
    for extra in ("torch", "worker", "lite", "timm", "demo", "test"):
        assert extra not in web
    assert "worker" in dockerfile.packages(DOCKERFILE, "worker")


@pytest.mark.parametrize("stage", ["web-packages", "web", "worker"])
def test_what_is_copied_exists_and_is_let_through(stage: str) -> None:
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    copied = dockerfile.stages(DOCKERFILE)[stage].copied()
    assert copied, "nothing is copied"
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in let_through


def test_commands_name_what_the_images_hold() -> None:
    stages = dockerfile.stages(DOCKERFILE)
    web = json.loads(stages["web"].values("CMD")[0])
    worker = json.loads(stages["worker"].values("CMD")[0])
    assert web[:2] == ["gunicorn", "demo_shop.wsgi"]
    assert worker[:6] == ["celery", "-A", "demo_shop", "worker", "-Q", "imgrec"]
    assert SERVICES["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]
    for file in ("demo_shop/wsgi.py", "demo_shop/celery.py", "manage.py"):
        assert (ROOT / file).exists()


def test_the_shop_reads_the_variables_it_is_given() -> None:
    settings = (ROOT / "demo_shop" / "settings.py").read_text()
    for name in COMPOSE["x-shop"]["environment"]:
        assert f'"{name}"' in settings
    assert 'os.environ.get("DEMO_DATA")' in settings
    assert "DEMO_DATA=/data" in DOCKERFILE
