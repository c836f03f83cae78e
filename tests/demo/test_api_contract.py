"""The schema of the API: complete, true of a running shop, and what the client's types say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from demo_shop.services import end_with_us, free_port
from imgrec.rest_framework.codes import API_VERSION, CODES
from tests.worker import ROOT

pytest.importorskip("drf_spectacular", reason="drf-spectacular is not installed")
EXAMPLE = ROOT / "examples" / "typescript"


def _world(folder: Path) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "demo_shop.settings", "DEMO_DATA": str(folder)}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo's, without a warning."""
    folder = tmp_path_factory.mktemp("schema")
    file = folder / "schema.json"
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"]
    command += ["--format", "openapi-json", "--file", str(file)]
    subprocess.run(command, cwd=ROOT, env=_world(folder), check=True, timeout=110)
    return json.loads(file.read_text())


def test_every_operation_says_its_version_bounds_and_errors(schema: Any) -> None:
    assert schema["info"]["version"] == API_VERSION
    ours = [each for path in schema["paths"].values() for each in path.values()]
    assert len(ours) == 2
    for operation in ours:
        assert operation["x-imgrec-api"] == API_VERSION
        assert {"200", "400", "403", "404", "422", "503"} <= operation["responses"].keys()
        asked = {each["name"]: each["schema"] for each in operation["parameters"]}
        assert (asked["limit"]["minimum"], asked["limit"]["maximum"]) == (1, 64)


def test_the_docs_list_every_code() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    told = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    assert {code: (int(status), means) for status, code, means in told} == CODES


def test_the_types_are_those_of_the_schema(schema: Any, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema))
    made = subprocess.run(
        [sys.executable, str(EXAMPLE / "generate.py"), str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert made.stdout == (EXAMPLE / "types.ts").read_text()


def test_the_client_compiles() -> None:
    compiler = shutil.which("tsc") or shutil.which("tsc", path=EXAMPLE / "node_modules/.bin")
    if compiler is None:
        pytest.skip("no tsc on this machine (npm install typescript in examples/typescript)")
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable", "--types", ""]
    subprocess.run([compiler, *options, "usage.ts"], cwd=EXAMPLE, check=True, timeout=110)


@pytest.fixture
def address(environment: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[str]:
    """Where the demo listens, with the tests' PostgreSQL and Redis."""
    servers = environment()
    world = _world(tmp_path) | {
        "DATABASE_URL": servers["IMGREC_TEST_DATABASE_URL"],
        "REDIS_URL": servers["IMGREC_TEST_REDIS_URL"],
    }
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "demo_shop.wsgi", "--bind", listen]
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [*end_with_us("TERM"), *command], cwd=ROOT, env=world, stdout=log, stderr=log
        )
    try:
        _wait_for(f"http://{listen}/api/schema/")
        yield f"http://{listen}"
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urlopen(address).close()  # noqa: S310 - our own server
        except URLError:
            assert time.monotonic() < until, "the demo did not open"
            time.sleep(0.2)
        else:
            return


@pytest.mark.parametrize(
    "examples", [10, pytest.param(500, marks=[pytest.mark.full, pytest.mark.timeout(1800)])]
)
def test_the_shop_answers_as_its_schema_says(address: str, examples: int) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    import hypothesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    told = schemathesis.openapi.from_url(f"{address}/api/schema/")
    operations = [each.ok() for each in told.get_all_operations()]
    assert len(operations) == 2
    checks = list(hypothesis.HealthCheck)
    for operation in operations:

        @hypothesis.settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=checks
        )
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            # No schema can say which photo is one, or which `after` belongs to a list.
            # No worker runs here: a true photo ends in the 503 of the schema, and no other 5xx may.
            checked_here = [positive_data_acceptance, not_a_server_error]
            response = case.call_and_validate(excluded_checks=checked_here)
            assert response.status_code < 500 or response.json()["code"] == "no_answer"
            assert response.status_code < 400 or response.json()["code"] in CODES

        ask()
