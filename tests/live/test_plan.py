from __future__ import annotations

import json
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError, NotFoundError
from quantconnect_provider.live.approval.deploy_preview import DeployPreview, preview_deployment
from quantconnect_provider.live.approval.markdown import escaped, table
from quantconnect_provider.live.approval.rules import approval_needed, wind_down_approval_needed
from quantconnect_provider.live.approval.wind_down_preview import preview_wind_down
from quantconnect_provider.live.brokerages.settings import (
    BrokerageSettings,
    brokerage_settings,
    paper_settings,
)
from quantconnect_provider.live.deploy.carry_over import with_portfolio
from quantconnect_provider.live.deployment_errors import AlreadyRunningError, NoFreeNodeError
from tests.live.task import PROJECT, Desk

SPY = {"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 12.5, "averagePrice": 500.0}


def real_money(**extra: Any) -> BrokerageSettings:
    settings = {"tradier-account-id": "1", "tradier-environment": "live", **extra}
    return brokerage_settings("TradierBrokerage", '{"tradier-access-token": "canary"}', settings)


def planned(desk: Desk, brokerage: BrokerageSettings, **options: Any) -> DeployPreview:
    spec = desk.spec(brokerage=with_portfolio(brokerage.settings, **options.pop("portfolio", {})))
    return preview_deployment(desk.setup, spec, brokerage, options=[("LEAN version", "newest")], **options)


def test_a_plan_names_everything_that_is_about_to_happen(desk: Desk) -> None:
    page = planned(
        desk, paper_settings(), portfolio={"cash": {"USD": "1000.5"}, "holdings": [SPY]}
    ).describe()

    for words in (
        f"{PROJECT}: Momentum",
        "QuantConnect paper trading",
        "paper money",
        "1000.5 USD",
        "12.5 SPY at 500",
        "node one (LN-1) is free",
        "newest",
        "nothing runs",
    ):
        assert words in page


def test_real_money_is_called_so(desk: Desk) -> None:
    plan = planned(desk, real_money())

    assert "REAL MONEY" in plan.describe()
    assert "REAL MONEY" in plan.subject


def test_a_plan_holds_no_secret_and_goes_through_xcom(desk: Desk) -> None:
    plan = planned(desk, real_money())

    assert "canary" not in json.dumps(plan.to_json()) + plan.describe() + repr(plan)


@pytest.mark.parametrize(
    ("if_running", "words"),
    [("fail", "stays untouched"), ("adopt", "nothing new is started"), ("redeploy", "STOPPED")],
)
def test_what_runs_and_what_happens_to_it_is_shown(desk: Desk, if_running: str, words: str) -> None:
    running = desk.sandbox.deploy(PROJECT)

    page = planned(desk, paper_settings(), if_running=if_running).describe()

    assert running in page
    assert words in page


def test_a_redeployment_shows_what_will_be_carried_over(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_cash(old, [{"currency": "USD", "amount": 77.5}])
    desk.sandbox.set_holdings(old, [SPY])

    page = planned(desk, paper_settings(), if_running="redeploy").describe()

    assert "77.5 USD" in page
    assert "12.5 SPY" in page
    assert "snapshot" in page


def test_a_redeployment_on_the_only_node_is_not_called_impossible(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT, node_id="LN-1")

    assert "lets go" in planned(desk, paper_settings(), if_running="redeploy").node


def test_a_plan_without_a_free_node_says_who_has_them(desk: Desk) -> None:
    desk.sandbox.set_node_busy("LN-1", used_by="ann")

    assert "Bystander" in planned(desk, paper_settings()).node


def test_the_page_begins_with_account_connection_project_and_what_is_sent(desk: Desk) -> None:
    brokerage = brokerage_settings(
        "TradierBrokerage",
        '{"tradier-access-token": "canary"}',
        {"tradier-account-id": "VA1234567", "tradier-environment": "live"},
        conn_id="tradier_main",
    )

    opening, *rest = planned(desk, brokerage, user="user ***56").describe().split("\n\n")

    assert opening.splitlines() == [
        "- Account: user \\*\\*\\*56",
        "- Brokerage: account \\*\\*\\*567 at Tradier, connection tradier\\_main",
        f"- Project: {PROJECT}: Momentum",
        "- Deploy with **REAL MONEY**: A new live deployment is started; nothing runs now.",
    ]
    assert rest[0].startswith("| Holding |")
    assert "VA1234567" not in "".join([opening, *rest])


def test_tables_of_the_page_are_narrow(desk: Desk) -> None:
    page = planned(desk, paper_settings(), portfolio={"cash": {"USD": 1}, "holdings": [SPY]}).describe()

    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {3}
    assert max(map(len, rows)) < 100


def test_an_option_that_is_held_is_not_shown_as_its_underlying(desk: Desk) -> None:
    option_id = "SPY 2ZQGWTQ5V7UJQ|SPY R735QTJ8XC9X"

    page = planned(
        desk, paper_settings(), portfolio={"holdings": [{**SPY, "symbolId": option_id}]}
    ).describe()

    assert option_id.replace("|", "\\|") in page
    assert "12.5 SPY at" not in page


def test_the_rows_for_a_log_hold_no_markdown(desk: Desk) -> None:
    rows = planned(desk, real_money(), portfolio={}).rows()

    assert ("Money", "REAL MONEY") in rows
    assert not any(mark in text for row in rows for text in row for mark in ("**REAL", "| ", "`", "\\"))


def test_a_checked_plan_refuses_a_project_that_is_live_already(desk: Desk) -> None:
    running = desk.sandbox.deploy(PROJECT)

    with pytest.raises(AlreadyRunningError, match=running):
        planned(desk, paper_settings(), check=True)


def test_a_checked_plan_refuses_a_brokerage_whose_cash_is_not_given(desk: Desk) -> None:
    trading = BrokerageSettings("TradingTechnologiesBrokerage", {"id": "TradingTechnologiesBrokerage"}, False)

    with pytest.raises(InvalidSettingError, match="does not know its cash"):
        planned(desk, trading, check=True)


def test_a_plan_for_a_node_that_does_not_exist_is_refused(desk: Desk) -> None:
    with pytest.raises(NoFreeNodeError, match=r"no live node 'LN-9'.*LN-1"):
        preview_deployment(desk.setup, desk.spec(node_id="LN-9"), paper_settings())


def test_planning_sends_nothing_that_changes_anything(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    planned(desk, paper_settings(), if_running="redeploy")
    preview_wind_down(desk.setup, [PROJECT], "liquidate")

    assert desk.asked() == {old: []}
    assert desk.sends("live/create") == 0


def test_a_project_that_does_not_exist_is_named(desk: Desk) -> None:
    spec = desk.spec(project_id=999)

    with pytest.raises(NotFoundError, match="999"):
        preview_deployment(desk.setup, spec, paper_settings())


def test_names_cannot_break_out_of_the_page() -> None:
    page = table(("What", "Value"), [("Project", "a | b\n<script>")])

    assert page.splitlines()[-1] == "| Project | a \\| b &lt;script&gt; |"


# --- wind-down --------------------------------------------------------------------------------------


def test_a_wind_down_plan_names_each_deployment_and_what_would_be_sold(desk: Desk) -> None:
    running = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_holdings(running, [SPY])

    plan = preview_wind_down(desk.setup, [PROJECT, PROJECT + 1], "liquidate")

    page = plan.describe()
    for words in ("SOLD", running, "Momentum", "Bystander", "12.5 SPY at 500"):
        assert words in page
    assert plan.subject == f"Liquidate 2 live deployments: projects {PROJECT}, {PROJECT + 1}?"
    json.dumps(plan.to_json())


def test_a_stop_says_that_holdings_are_kept(desk: Desk) -> None:
    assert "**kept**" in preview_wind_down(desk.setup, [PROJECT + 1], "stop").describe()


def test_one_project_that_cannot_be_read_does_not_hide_the_others(desk: Desk) -> None:
    over = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(over, "Stopped")

    plan = preview_wind_down(desk.setup, [999, PROJECT, PROJECT + 1], "stop")

    assert [target.runs for target in plan.targets] == [False, False, True]
    assert "999" in plan.targets[0].problem
    assert "over already" in plan.describe()


def test_a_project_that_was_never_live_is_named(desk: Desk) -> None:
    assert "never deployed" in preview_wind_down(desk.setup, [PROJECT], "stop").describe()


def test_a_wind_down_page_begins_with_account_project_and_what_is_sold(desk: Desk) -> None:
    running = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_holdings(running, [SPY])
    account = "user ***56, connection quantconnect_default"

    page = preview_wind_down(desk.setup, [PROJECT], "liquidate", account=account).describe().splitlines()

    assert page[:3] == [
        r"- Account: user \*\*\*56, connection quantconnect\_default",
        f"- Project: {PROJECT}: Momentum",
        "- Liquidate: all holdings of this project's deployment are **SOLD at market** before the end.",
    ]
    tables = [line for line in page if line.startswith("|")]
    assert tables[0] == "| Sold at market | Security id |"
    assert max(map(len, tables)) < 80


def test_a_wind_down_log_is_plain_text(desk: Desk) -> None:
    desk.sandbox.set_holdings(desk.sandbox.deploy(PROJECT), [SPY])

    plan = preview_wind_down(desk.setup, [PROJECT, PROJECT + 1], "liquidate", account="user ***")
    text = "\n".join(plan.log_lines())

    assert not set("|#`") & set(text)
    assert "**kept**" not in text
    assert "12.5 SPY" in text
    assert "Project 8: Holdings: none." in text


def test_a_portfolio_that_cannot_be_read_is_not_shown_as_none(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/portfolio/read", errors=["No portfolio."], times=None)

    plan = preview_wind_down(desk.setup, [PROJECT], "liquidate")

    assert plan.targets[0].holdings is None
    for text in (plan.describe(), "\n".join(plan.log_lines())):
        assert "Holdings left: could not be read" in text
        assert "No portfolio." in text
        assert "none" not in text


def test_a_deployment_that_cannot_be_read_counts_as_one_that_may_run(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/read", status=500, times=None)

    plan = preview_wind_down(desk.setup, [PROJECT], "liquidate")

    assert plan.targets[0].runs is None
    assert plan.subject == f"Liquidate 1 live deployment: project {PROJECT}?"


def test_names_cannot_format_the_page() -> None:
    assert escaped("*a* [b](c) <d>\n| `e`") == r"\*a\* \[b\](c) \<d\> \| \`e\`"


# --- approval ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approval", "brokerage", "needed"),
    [
        ("auto", paper_settings(), False),
        ("always", paper_settings(), True),
        ("never", paper_settings(), False),
        ("auto", real_money(), True),
        ("auto", real_money(allow_unattended=True), True),
        ("always", real_money(allow_unattended=True), True),
        ("never", real_money(allow_unattended=True), False),
    ],
)
def test_who_must_be_asked_before_deploying(
    approval: str, brokerage: BrokerageSettings, needed: bool
) -> None:
    assert approval_needed(approval, brokerage) is needed


def test_unattended_real_money_is_refused_unless_its_connection_allows_it() -> None:
    with pytest.raises(InvalidSettingError, match="allow_unattended"):
        approval_needed("never", real_money())


@pytest.mark.parametrize(
    ("approval", "action", "needed"),
    [
        ("auto", "stop", False),
        ("auto", "liquidate", True),
        ("always", "stop", True),
        ("never", "liquidate", False),
    ],
)
def test_who_must_be_asked_before_winding_down(approval: str, action: str, needed: bool) -> None:
    assert wind_down_approval_needed(approval, action) is needed


def test_an_approval_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="perhaps"):
        approval_needed("perhaps", paper_settings())
