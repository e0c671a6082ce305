"""CONTRIBUTING's lists of files are complete: each recipe is carried out on a copy of the package, and works.

Only files that the recipe names are changed, so a recipe that lacks one fails here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

RECIPES = {
    # What a recipe says about docs and tests is not needed for the thing to work.
    title: re.findall(r"(?m)^- `(?!docs/|tests/)([\w./]+)`", text)
    for title, text in re.findall(
        r"(?ms)^## Add an? ([\w ]+?)\n(.*?)(?=^## )", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    )
}


@dataclass
class Package:
    """A copy of the package that may be changed only where a recipe says so."""

    folder: Path
    recipe: str
    touched: set[str] = field(default_factory=set)

    def _path(self, name: str) -> Path:
        allowed = [entry for entry in RECIPES[self.recipe] if name == entry or name.startswith(f"{entry}")]
        assert allowed, f"CONTRIBUTING does not name {name} under {self.recipe}"
        self.touched.update(allowed)
        return self.folder / "quantconnect_provider" / name

    def insert(self, name: str, after: str, text: str) -> None:
        """Insert lines after the first line that begins with `after`."""
        path = self._path(name)
        before, found, rest = path.read_text(encoding="utf-8").partition(after)
        assert found, f"{name} has no {after!r} any more"
        line, _, rest = rest.partition("\n")
        path.write_text(f"{before}{found}{line}\n{text}\n{rest}", encoding="utf-8")

    def insert_before(self, name: str, line: str, text: str) -> None:
        """Insert lines before the first line that begins with `line`."""
        path = self._path(name)
        before, found, rest = path.read_text(encoding="utf-8").partition(line)
        assert found, f"{name} has no {line!r} any more"
        path.write_text(f"{before}{text}\n{found}{rest}", encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Append lines."""
        with self._path(name).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}\n")

    def create(self, name: str, text: str) -> None:
        """Make a new file."""
        self._path(name).write_text(text, encoding="utf-8")

    def run(self, program: str, **variables: str) -> str:
        """Run a program with this copy of the package; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **variables, "PYTHONPATH": str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert self.touched == set(RECIPES[self.recipe]), "CONTRIBUTING names a file that need not change"
        # Airflow's log lines may stand between what the program prints.
        return "".join(
            line for line in done.stdout.splitlines(True) if not re.match(r"\d{4}-\d\d-\d\dT", line)
        )


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str], Package]:
    def copy(recipe: str) -> Package:
        source = ROOT / "plugins" / "quantconnect_provider"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, tmp_path / "quantconnect_provider", ignore=ignored)
        return Package(tmp_path, recipe)

    return copy


def test_setting(package: Callable[[str], Package]) -> None:
    changed = package("setting")
    changed.insert(
        "options.py",
        '    """Section `[quantconnect]`',
        '    patience_seconds: float = _setting(5.0, "Seconds of patience.", above=0)',
    )

    printed = changed.run(
        "from quantconnect_provider import config\n"
        "from quantconnect_provider.get_provider_info import get_provider_info\n"
        "print(config.load().patience_seconds)\n"
        "print(get_provider_info()['config']['quantconnect']['options']['patience_seconds']['default'])\n"
        "import os; os.environ['AIRFLOW__QUANTCONNECT__PATIENCE_SECONDS'] = '0'\n"
        "try: config.load()\n"
        "except ValueError as refused: print(refused)\n",
        AIRFLOW__QUANTCONNECT__PATIENCE_SECONDS="7",
    )

    assert printed.splitlines()[-3:] == [
        "7.0",
        "5",
        "[quantconnect] patience_seconds is '0': it must be a number above 0.",
    ]


def test_brokerage(package: Callable[[str], Package]) -> None:
    changed = package("brokerage")
    changed.insert(
        "live/brokerages/table.py",
        "BROKERAGES: dict[str, Brokerage] = {",
        '    "AcmeBrokerage": Brokerage("Acme", required=("acme-token", "acme-environment"),\n'
        '        secret=_secret("acme-token"), choices={"acme-environment": _LIVE_PAPER},\n'
        '        paper=setting_is("acme-environment", "paper")),',
    )

    printed = changed.run(
        "from quantconnect_provider.client.errors import InvalidSettingError\n"
        "from quantconnect_provider.live.brokerages.settings import brokerage_settings, is_paper\n"
        'secret = \'{"acme-token": "t"}\'\n'
        "made = brokerage_settings('AcmeBrokerage', secret, {'acme-environment': 'paper'})\n"
        "print(made.settings['acme-token'], is_paper('AcmeBrokerage', made.settings))\n"
        "try: brokerage_settings('AcmeBrokerage', secret, {})\n"
        "except InvalidSettingError as refused: print(refused)\n"
    )

    made, refused = printed.splitlines()
    assert made == "t True"
    assert "acme-environment" in refused


def test_endpoint(package: Callable[[str], Package]) -> None:
    changed = package("endpoint")
    changed.append("client/endpoints.py", 'WEATHER_READ = Endpoint("live/weather/read")')
    changed.append("client/models.py", "class Weather(Model):\n    degrees_celsius: float")
    changed.insert(
        "client/client.py",
        "from quantconnect_provider.client import endpoints",
        "from quantconnect_provider.client.models import Weather",
    )
    changed.insert(
        "client/client.py",
        "        return self._transport.call(endpoint, body)[0]",
        "\n"
        "    def read_weather(self, project_id: int) -> Weather:\n"
        "        payload = self._call(endpoints.WEATHER_READ, {'projectId': project_id})\n"
        "        return self._read(Weather, endpoints.WEATHER_READ, payload)\n",
    )
    changed.create(
        "sandbox/endpoints/weather.py",
        "from quantconnect_provider.sandbox.endpoints.lookup import project_of\n"
        "from quantconnect_provider.sandbox.endpoints.registry import endpoint\n"
        "@endpoint('live/weather/read')\n"
        "def read(world, params, now):\n"
        "    project_of(world, params)\n"
        "    return {'degreesCelsius': 21.5}\n",
    )
    changed.insert("sandbox/endpoints/__init__.py", "    projects,", "    weather,")

    printed = changed.run(
        "from quantconnect_provider.client import QuantConnectClient\n"
        "from quantconnect_provider.sandbox import Sandbox\n"
        "with Sandbox() as it, QuantConnectClient(it.user_id, it.api_token, base_url=it.base_url) as api:\n"
        "    print(api.read_weather(23456001).degrees_celsius, len(it.requests('live/weather/read')))\n"
    )

    assert printed == "21.5 1\n"


def test_column(package: Callable[[str], Package]) -> None:
    changed = package("column")
    changed.insert("client/insights.py", "    tag: str | None = None", "    mood: str | None = None")
    changed.insert_before("client/insights.py", "}\n_FIELD_OF_NORMALISED", '    "mood": (str, ("mood",)),')
    changed.insert("store/schema.py", '    Column("tag", Text),', '    Column("mood", Text),')
    versions = changed.folder / "quantconnect_provider/store/migrations/versions"
    newest = max(path.name[:4] for path in versions.glob("0*.py"))
    changed.create(
        "store/migrations/versions/9999_mood.py",
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision, down_revision = '9999', '{newest}'\n"
        "def upgrade():\n"
        "    op.add_column('quantconnect_insights', sa.Column('mood', sa.Text()))\n",
    )
    store = f"sqlite:///{changed.folder}/store.db"

    printed = changed.run(
        "import sqlite3\n"
        "from quantconnect_provider.client import QuantConnectClient\n"
        "from quantconnect_provider.harvest import harvest\n"
        "from quantconnect_provider.sandbox import Sandbox\n"
        "from quantconnect_provider.store import Store\n"
        "scenario = {'api': {'insights': {'extra_fields': {'mood': 'calm'}}}, 'projects': [{'name': 'One',"
        " 'deployments': [{'status': 'Running', 'insights': {'history': {'count': 3}}}]}]}\n"
        "with Sandbox(scenario) as it, QuantConnectClient(it.user_id, it.api_token, it.base_url) as c,"
        f" Store.open('{store}') as store:\n"
        "    harvest(c, store, c.list_live()).raise_if_failed()\n"
        f"query = 'select mood, extra from quantconnect_insights'\n"
        f"print(sqlite3.connect('{changed.folder}/store.db').execute(query).fetchall())\n"
    )

    assert printed.splitlines()[-1] == str([("calm", "{}")] * 3)


def test_deploy_option(package: Callable[[str], Package]) -> None:
    changed = package("deploy option")
    changed.insert_before(
        "tasks/deploy_request.py",
        "    @classmethod",
        "    region: str | None = option(_text, default=None, title='Region', section=HOW,\n"
        "        description='Where it runs.', schema={'type': ['null', 'string']})\n",
    )
    changed.insert("client/live_request.py", '    version_id: str = "-1"', "    region: str | None = None")
    changed.insert(
        "client/live_request.py", "    body: dict[str, Any] = {", '        "region": deployment.region,'
    )

    printed = changed.run(
        "from quantconnect_provider.client import QuantConnectClient\n"
        "from quantconnect_provider.dag_support.deploy_form import deploy_params\n"
        "from quantconnect_provider.operators.live import QuantConnectCreateLiveOperator as Operator\n"
        "from quantconnect_provider.sandbox import Sandbox\n"
        "from quantconnect_provider.tasks.deploy_request import DeployRequest\n"
        "print('region' in deploy_params(), 'region' in Operator.template_fields)\n"
        "with Sandbox() as it, QuantConnectClient(it.user_id, it.api_token, it.base_url) as api:\n"
        "    build = api.create_compile(23456002).compile_id\n"
        "    while api.read_compile(23456002, build).state == 'InQueue': pass\n"
        "    node = next(node.id for node in api.read_nodes(23456002).live if not node.busy)\n"
        "    task = Operator(task_id='deploy', project_id='23456002', compile_id=build, live_node_id=node,\n"
        "        region='Tokyo')\n"
        "    api.create_live(DeployRequest.of_operator(task).resolve(build).spec)\n"
        "    print(it.deployments(23456002)[0]['request']['region'])\n"
    )

    assert printed.splitlines()[-2:] == ["True True", "Tokyo"]


def test_each_recipe_is_carried_out() -> None:
    tests = {name.removeprefix("test_").replace("_", " ") for name in globals() if name.startswith("test_")}

    assert set(RECIPES) - tests == set()
    assert len(RECIPES) == 5
