"""What `make demo` runs and prints. Every number is read back from the store or the API, and checked."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dev.console import fail, say
from dev.demo import AIRFLOW_LOG, STORE
from dev.demo_airflow import Runner
from dev.demo_store import (
    Event,
    Harvest,
    Scorecard,
    count_insights,
    harvests_after,
    mismatch,
    scorecards,
)
from dev.demo_watch import Watching, print_events
from dev.tables import table
from dev.venv import ROOT
from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.sandbox.process import RemoteSandbox

PROJECT_ID = 23456002
BESIDE_ID, RUNNING_ID = 23456003, 23456001
QUERY = (
    "import sqlite3; [print(*row, sep='  ') for row in sqlite3.connect('{store}').execute("
    "'select deploy_id, symbol, direction, count(*) from quantconnect_insights group by 1, 2, 3')]"
)


class Steps:
    """The demo's steps, each checked."""

    def __init__(self, port: int, home: Path) -> None:
        self._runner = Runner(home / AIRFLOW_LOG)
        self.store = home / STORE
        self._sandbox = sandbox = RemoteSandbox(port)
        self._client = QuantConnectClient(sandbox.user_id, sandbox.api_token, base_url=sandbox.base_url)

    def deploy(self) -> str:
        """Deploy the project, beside one that somebody else deploys; returns the deployment's id."""
        self._sandbox.deploy(BESIDE_ID)
        self._runner.run("quantconnect_deploy", project_id=PROJECT_ID)
        live = self._client.read_live(PROJECT_ID)
        if live.status != "Running":
            fail(f"after quantconnect_deploy the API says {live.status} instead of Running")
        return live.deploy_id

    def watch(self, deploy_id: str) -> tuple[str, list[Event], int]:
        """Let this deployment die and two others get into trouble; returns what runs in its place.

        Also returns the events, and how often the watch ran.
        """
        silent, losing = (self._sandbox.deployments(each)[0]["deploy_id"] for each in (BESIDE_ID, RUNNING_ID))
        watching = Watching(
            self._runner, self._sandbox, self.store, dying=deploy_id, silent=silent, losing=losing
        )
        watching.begin()
        watching.redeploy(PROJECT_ID)
        live = self._client.read_live(PROJECT_ID)
        if live.status != "Running" or live.deploy_id == deploy_id:
            fail(f"after the guard's run of quantconnect_deploy the API says {live.status}: {live.deploy_id}")
        return live.deploy_id, watching.end(), watching.runs

    def harvest(self) -> list[Harvest]:
        """Harvest all deployments while the sandbox's time stands still, and check the store."""
        known = {harvest.harvest_id for harvest in harvests_after(self.store, set())}
        self._sandbox.set_speed(0)
        self._sandbox.clear_requests()
        self._runner.run("quantconnect_harvest_insights")
        for deployment in self._sandbox.deployments():
            truth = self._sandbox.insights(deployment["deploy_id"])["rows"]
            problem = mismatch(self.store, deployment["deploy_id"], truth)
            if problem:
                fail(f"the store is not what the API has for {deployment['deploy_id']}: {problem}")
        self._sandbox.set_speed(1)
        harvests = harvests_after(self.store, known)
        asked = len(self._sandbox.requests("live/insights/read"))
        counted = sum(harvest.requests for harvest in harvests)
        if asked != counted or any(harvest.status != "complete" for harvest in harvests):
            fail(f"quantconnect_harvests counts {counted} requests instead of {asked}: {harvests}")
        return harvests

    def score(self) -> list[Scorecard]:
        """Compute the scorecards; each stored insight is in one of them."""
        self._runner.run("quantconnect_scorecard")
        cards, stored = scorecards(self.store), count_insights(self.store)
        if sum(card.insights for card in cards) != stored:
            fail(f"the scorecards are not of the {stored} stored insights: {cards}")
        return cards

    def wind_down(self) -> str:
        """Liquidate the project's deployment; returns its final status."""
        self._runner.run(
            "quantconnect_wind_down", project_ids=[PROJECT_ID], action="liquidate", approval="never"
        )
        status = self._client.read_live(PROJECT_ID).status
        held = self._client.read_portfolio(PROJECT_ID).holdings
        if status not in ("Liquidated", "Stopped") or held:
            fail(f"after quantconnect_wind_down the API says {status}, with holdings {sorted(held)}")
        return status

    def statuses(self, deploy_id: str) -> list[str]:
        """List the statuses that the deployment went through, as the sandbox saw them."""
        found = (item for item in self._sandbox.deployments(PROJECT_ID) if item["deploy_id"] == deploy_id)
        return [str(moment["status"]) for moment in next(found)["history"]]


def print_harvests(first: list[Harvest], second: list[Harvest], seconds: float) -> None:
    """Print both harvests, a line for each deployment."""
    named = [("first", item) for item in first] + [(f"{seconds:.0f} s later", item) for item in second]
    rows = [
        [when, h.deploy_id, h.requests, h.read, h.inserted, h.updated, h.in_table, h.final]
        for when, h in named
    ]
    header = ["harvest", "deployment", "pages", "read", "new", "changed", "in table", "scores final"]
    say("\nInsights in the table quantconnect_insights")
    say(table(rows, header))


def print_scorecards(cards: list[Scorecard], shown: int = 3) -> None:
    """Print the scorecards with the most scored insights."""
    rows = [
        [card.source_model, card.ticker, card.horizon, card.insights, card.scored, *_rates(card)]
        for card in cards[:shown]
    ]
    say(f"\nThe first {len(rows)} of {len(cards)} rows in the table quantconnect_scorecards")
    say(table(rows, ["model", "ticker", "horizon", "insights", "scored", "hit rate", "95 %"]))


def _rates(card: Scorecard) -> tuple[str, str]:
    if card.hit_rate is None:
        return "", ""
    return f"{card.hit_rate:.1%}", f"{card.low:.1%} to {card.high:.1%}"


def main(port: int, home: Path) -> None:
    """Run all steps, from the deployment to its end, and print the result."""
    started = time.monotonic()
    steps = Steps(port, home)
    first_id = steps.deploy()
    first = steps.harvest()
    harvested = time.monotonic()
    second_id, raised, watched = steps.watch(first_id)
    seconds = time.monotonic() - harvested
    second = steps.harvest()
    cards = steps.score()
    status = steps.wind_down()
    say(f"\nWhat happened to project {PROJECT_ID}")
    went = [[deploy_id, " > ".join(steps.statuses(deploy_id))] for deploy_id in (first_id, second_id)]
    say(table([*went, ["in the end", f"{status}; no holdings left"]]))
    print_events(raised, watched)
    print_harvests(first, second, seconds)
    print_scorecards(cards)
    say(f"\nThe data lies in {steps.store} (SQLite). To see it:\n")
    say(f'  .venv/bin/python -c "{QUERY.format(store=os.path.relpath(steps.store, ROOT))}"')
    say(f"\nAll of it worked, in {time.monotonic() - started:.0f} seconds. With the UI: make up")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
