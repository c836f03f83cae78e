"""The schema of the API: complete, true of a running shop, and what the client's types say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from imgrec.rest_framework.codes import API_VERSION, CODES
from tests.browser.demo import Demo
from tests.demo import api_cases
from tests.worker import ROOT

pytest.importorskip("drf_spectacular", reason="drf-spectacular is not installed")
EXAMPLE = ROOT / "examples" / "typescript"
FULL = 500  # questions to each operation


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
    assert [each["requestBody"]["required"] for each in ours if "requestBody" in each] == [True]
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(10, marks=pytest.mark.timeout(300)),
        pytest.param(FULL, marks=[pytest.mark.full, pytest.mark.timeout(1800)]),
    ],
)
def test_the_shop_answers_as_its_schema_says(running_demo: Demo, examples: int) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    import hypothesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    told = schemathesis.openapi.from_url(f"{running_demo.address}/api/schema/")
    operations = [each.ok() for each in told.get_all_operations()]
    assert len(operations) == 2
    photo = running_demo.wares.rows[0].photo.read_bytes()
    keys = api_cases.known_keys(running_demo.address, photo)
    checks = list(hypothesis.HealthCheck)
    # No schema can say which key is one, or which `after` belongs to a list; and the statuses
    # of a shop whose worker is busy are looked at below.
    checked_here = [positive_data_acceptance, not_a_server_error]
    statuses: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for operation in operations:

        @hypothesis.settings(
            max_examples=examples,
            derandomize=examples < FULL,  # a few might meet no list by chance
            deadline=None,
            database=None,
            suppress_health_check=checks,
        )
        @hypothesis.given(case=api_cases.cases(operation, keys, photo))
        def ask(case: Any) -> None:
            response = case.call()
            statuses[case.operation.label][response.status_code] += 1
            if response.status_code == 414:
                return  # gunicorn's, for an address so long that the shop never sees it
            case.validate_response(response, excluded_checks=checked_here)
            assert response.status_code < 500 or response.json()["code"] in {"busy", "no_answer"}
            assert response.status_code < 400 or response.json()["code"] in CODES

        ask()
    for label, counted in statuses.items():
        print(label, dict(sorted(counted.items())))
        assert counted[200] >= counted.total() // 8, counted
