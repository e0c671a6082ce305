from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

STAGES = {"InQueue": 10, "LoggingIn": 10, "Initializing": 10}


def project(**fields):
    deploy = {"starting": STAGES, "stop_seconds": 5, "liquidate_seconds": 8, "sell_seconds": 20}
    return {"name": "Alpha", "id": 7, "deploy": {**deploy, **fields.pop("deploy", {})}, **fields}


@pytest.fixture
def alpha(start):
    def starter(scenario=None, **fields):
        return start({"projects": [project(**fields)], **(scenario or {})})

    return starter


def status(api):
    return api("live/read", projectId=7)["status"]


def test_create_answers_with_the_deploy_id_at_the_top_level(alpha):
    _, api = alpha()
    answer = api.create(7)
    assert re.fullmatch(r"L-[0-9a-f]{32}", answer["deployId"])
    assert answer["deployId"] == answer["live"]["deployId"]


def test_paper_trading_comes_back_under_another_name(alpha):
    _, api = alpha()
    assert api.create(7)["live"]["brokerage"] == "PaperBrokerage"


def test_a_deployment_passes_its_stages_until_it_runs(alpha):
    sandbox, api = alpha()
    api.create(7)
    seen = [status(api)]
    for _ in range(3):
        sandbox.advance(10)
        seen.append(status(api))
    assert seen == ["InQueue", "LoggingIn", "Initializing", "Running"]


def test_live_read_is_flat_and_does_not_say_its_project(alpha):
    _, api = alpha()
    api.create(7)
    answer = api("live/read", projectId=7)
    assert "projectId" not in answer
    assert answer["files"][0]["content"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", answer["launched"])


@pytest.mark.parametrize(("reading", "empty"), [("object", {}), ("list", []), ("null", None)])
def test_an_object_without_fields_is_as_configured(alpha, reading, empty):
    _, api = alpha({"api": {"empty_objects": reading}})
    api.create(7)
    answer = api("live/read", projectId=7)
    assert [answer[name] for name in ("runtimeStatistics", "charts", "deploymentDetails")] == [empty] * 3


def test_server_statistics_are_there_only_while_it_runs(alpha):
    sandbox, api = alpha()
    api.create(7)
    seen = ["serverStatistics" in api("live/read", projectId=7)]
    sandbox.advance(30)
    assert [*seen, "serverStatistics" in api("live/read", projectId=7)] == [False, True]


def test_what_the_brokerage_shares_is_shown_and_no_credential(alpha):
    _, api = alpha()
    api.create(
        7, brokerage={"id": "AlpacaBrokerage", "alpaca-paper-trading": "true", "alpaca-api-secret": "s"}
    )
    assert api("live/read", projectId=7)["deploymentDetails"] == {"alpaca-paper-trading": "true"}


def test_runtime_statistics_are_formatted_texts(alpha):
    sandbox, api = alpha()
    api.create(7)
    sandbox.advance(30)
    assert api("live/read", projectId=7)["runtimeStatistics"]["Equity"] == "$100,000.00"


def test_never_deployed_is_an_error(alpha):
    _, api = alpha()
    answer = api("live/read", projectId=7)
    assert answer["success"] is False
    assert "No live deployment found" in answer["errors"][0]


def test_never_deployed_can_be_the_status_undefined_of_old(alpha):
    _, api = alpha({"api": {"never_deployed": "undefined"}})
    assert status(api) == "Undefined"


def test_the_node_is_busy_while_the_deployment_lives(alpha):
    sandbox, api = alpha()
    api.create(7)
    busy = [api("nodes/read")["live"][0]["busy"]]
    sandbox.advance(30)
    api("live/update/stop", projectId=7)
    sandbox.advance(5)
    assert [*busy, api("nodes/read")["live"][0]["busy"]] == [True, False]


def test_create_on_a_busy_node_is_refused(alpha):
    sandbox, api = alpha()
    node = api.free_node(7)
    sandbox.set_node_busy(node, used_by="Ann")
    answer = api.create(7, nodeId=node)
    assert answer["success"] is False
    assert "busy" in answer["errors"][0]


def test_create_while_one_runs_is_refused(alpha):
    nodes = {"live": [{"name": "a"}, {"name": "b"}]}
    _, api = alpha({"nodes": nodes})
    api.create(7)
    assert api.create(7)["success"] is False


def test_create_while_one_runs_can_make_a_second(alpha):
    nodes = {"live": [{"name": "a"}, {"name": "b"}]}
    sandbox, api = alpha({"nodes": nodes, "api": {"create_while_running": "second"}})
    first, second = api.create(7)["deployId"], api.create(7)["deployId"]
    assert [d["deploy_id"] for d in sandbox.deployments()] == [first, second]


def test_create_with_a_build_that_is_not_finished_is_refused(alpha):
    _, api = alpha()
    compile_id = api("compile/create", projectId=7)["compileId"]
    assert "not successful" in api.create(7, compileId=compile_id)["errors"][0]


@pytest.mark.parametrize(
    ("brokerage", "error"),
    [
        ("QuantConnectBrokerage", "Brokerage data must be an array"),
        ({}, "Brokerage id is a required parameter"),
        ({"id": "InteractiveBrokersBrokerage"}, "Weekly restart time is a required parameter"),
    ],
)
def test_a_brokerage_that_is_not_right_is_refused(alpha, brokerage, error):
    sandbox, api = alpha()
    assert api.create(7, brokerage=brokerage)["errors"] == [error]
    assert sandbox.deployments() == []


def test_stop_takes_its_time_and_keeps_the_holdings(alpha):
    sandbox, api = alpha(holdings=[{"symbol": "SPY", "quantity": 2, "averagePrice": 10}])
    api.create(7)
    sandbox.advance(30)
    api("live/update/stop", projectId=7)
    seen = [status(api)]
    sandbox.advance(5)
    answer = api("live/read", projectId=7)
    assert [*seen, answer["status"]] == ["Running", "Stopped"]
    assert answer["stopped"] is not None
    assert list(api("live/portfolio/read", projectId=7)["portfolio"]["holdings"]) == ["SPY"]


def test_liquidate_sells_after_the_deployment_ended(alpha):
    sandbox, api = alpha(holdings=[{"symbol": "SPY", "quantity": 2, "averagePrice": 10}])
    api.create(7)
    sandbox.advance(30)
    api("live/update/liquidate", projectId=7)
    sandbox.advance(8)
    left = [status(api), list(api("live/portfolio/read", projectId=7)["portfolio"]["holdings"])]
    sandbox.advance(12)
    portfolio = api("live/portfolio/read", projectId=7)["portfolio"]
    assert left == ["Liquidated", ["SPY"]]
    assert (portfolio["holdings"], portfolio["cash"]["USD"]["amount"]) == ({}, 100_020)


def test_liquidation_leaves_what_cannot_be_sold(alpha):
    holdings = [
        {"symbol": "SPY", "quantity": 2, "averagePrice": 10},
        {"symbol": "OLD", "quantity": 1.5, "averagePrice": 1},
    ]
    sandbox, api = alpha(holdings=holdings, deploy={"unsellable": ["OLD"]})
    api.create(7)
    sandbox.advance(30)
    api("live/update/liquidate", projectId=7)
    sandbox.advance(20)
    holdings = api("live/portfolio/read", projectId=7)["portfolio"]["holdings"]
    assert {symbol: item["q"] for symbol, item in holdings.items()} == {"OLD": 1.5}


def test_an_empty_part_of_the_portfolio_can_be_a_list(alpha):
    _, api = alpha({"api": {"empty_portfolio": "list"}})
    api.create(7)
    assert api("live/portfolio/read", projectId=7)["portfolio"]["holdings"] == []


def test_the_portfolio_can_lag_behind(alpha):
    sandbox, api = alpha({"api": {"portfolio_refresh_seconds": 600}})
    deploy_id = api.create(7)["deployId"]
    sandbox.advance(30)
    sandbox.set_holdings(deploy_id, [{"symbol": "SPY", "quantity": 1, "averagePrice": 1}])
    seen = [len(api("live/portfolio/read", projectId=7)["portfolio"]["holdings"])]
    sandbox.advance(570)
    seen.append(len(api("live/portfolio/read", projectId=7)["portfolio"]["holdings"]))
    assert seen == [0, 1]


@pytest.mark.parametrize("action", ["stop", "liquidate"])
@pytest.mark.parametrize(("mode", "success"), [("error", False), ("success", True)])
def test_ending_what_is_over_is_as_configured(alpha, action, mode, success):
    sandbox, api = alpha({"api": {"update_when_over": mode}})
    sandbox.set_status(api.create(7)["deployId"], "Stopped")
    assert api(f"live/update/{action}", projectId=7)["success"] is success
    assert sandbox.deployments()[0]["requested"] == []


def test_cash_and_holdings_are_taken_from_the_brokerage_object(alpha):
    _, api = alpha()
    brokerage = {
        "id": "QuantConnectBrokerage",
        "cash": [{"currency": "EUR", "amount": 5.5}],
        "holdings": [{"symbol": "BTC", "symbolId": "BTCUSD 2XR", "quantity": 0.125, "averagePrice": 9}],
    }
    api.create(7, brokerage=brokerage)
    portfolio = api("live/portfolio/read", projectId=7)["portfolio"]
    assert portfolio["cash"]["EUR"]["amount"] == 5.5
    assert portfolio["holdings"]["BTCUSD 2XR"]["q"] == 0.125


def test_a_deployment_may_die_while_it_starts(alpha):
    fail = {"at": "LoggingIn", "message": "wrong password", "logs": ["line one"]}
    sandbox, api = alpha(deploy={"fail": fail})
    deploy_id = api.create(7)["deployId"]
    sandbox.advance(20)
    answer = api("live/read", projectId=7)
    logs = api("live/logs/read", projectId=7, algorithmId=deploy_id, startLine=0, endLine=50)["logs"]
    assert (answer["status"], answer["message"]) == ("DeployError", "wrong password")
    assert [line.split(" ", 2)[2] for line in logs[-3:-1]] == ["line one", "wrong password"]


RUNTIME_ERROR = {"after_seconds": 50, "restart_seconds": 5}


def test_a_runtime_error_ends_a_deployment(alpha):
    sandbox, api = alpha(deploy={"runtime_error": RUNTIME_ERROR})
    api.create(7)
    sandbox.advance(80 + 100)
    assert status(api) == "RuntimeError"


def test_a_deployment_with_automatic_redeploy_comes_back_under_the_same_id(alpha):
    sandbox, api = alpha(deploy={"runtime_error": RUNTIME_ERROR})
    deploy_id = api.create(7, automaticRedeploy=True)["deployId"]
    sandbox.advance(80)
    seen = [status(api)]
    sandbox.advance(5 + 30)
    answer = api("live/read", projectId=7)
    assert [*seen, answer["status"], answer["deployId"]] == ["RuntimeError", "Running", deploy_id]


def test_a_restart_can_be_a_new_deployment(alpha):
    sandbox, api = alpha(deploy={"runtime_error": {**RUNTIME_ERROR, "restart_as": "new"}})
    deploy_id = api.create(7, automaticRedeploy=True)["deployId"]
    sandbox.advance(80 + 5)
    first, second = sandbox.deployments()
    assert (first["deploy_id"], first["status"]) == (deploy_id, "RuntimeError")
    assert second["status"] == "InQueue"


def test_restarts_come_to_an_end(alpha):
    sandbox, api = alpha(deploy={"runtime_error": {**RUNTIME_ERROR, "restarts": 2}})
    api.create(7, automaticRedeploy=True)
    sandbox.advance(1000)
    (deployment,) = sandbox.deployments()
    assert (deployment["status"], deployment["restarts"]) == ("RuntimeError", 2)


def test_a_new_deployment_can_be_listed_late(alpha):
    sandbox, api = alpha(deploy={"listed_after_seconds": 15})
    api.create(7)
    seen = [len(api("live/list")["live"]), api("live/read", projectId=7)["success"]]
    sandbox.advance(15)
    assert [*seen, len(api("live/list")["live"])] == [0, False, 1]


def test_the_list_has_a_row_for_every_deployment_newest_first(alpha):
    sandbox, api = alpha()
    first = api.create(7)["deployId"]
    sandbox.set_status(first, "Stopped")
    sandbox.advance(60)
    second = api.create(7)["deployId"]
    rows = api("live/list")["live"]
    assert [(row["deployId"], row["projectId"], row["status"]) for row in rows] == [
        (second, 7, "InQueue"),
        (first, 7, "Stopped"),
    ]


def test_the_list_is_filtered_by_status(alpha):
    sandbox, api = alpha()
    sandbox.set_status(api.create(7)["deployId"], "Stopped")
    assert [len(api("live/list", status=status)["live"]) for status in ("Running", "Stopped")] == [0, 1]


def test_a_create_that_is_refused_leaves_nothing(alpha):
    sandbox, api = alpha(deploy={"refuse": "Not today."})
    assert api.create(7)["errors"][0].startswith("Not today.")
    assert sandbox.deployments() == []


def test_the_list_can_be_of_each_projects_latest_deployment(alpha):
    sandbox, api = alpha()
    sandbox.set_status(sandbox.deploy(7), "Stopped")
    sandbox.advance(60)
    latest = sandbox.deploy(7)
    assert [row["deployId"] for row in api("live/list", latest=True)["live"]] == [latest]


def test_a_scenario_says_how_long_a_deployment_has_been_there(alpha):
    sandbox, api = alpha(deployments=[{"status": "Running", "launched_ago_seconds": 7200}])
    text = api("live/read", projectId=7)["launched"]
    launched = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    assert sandbox.now() - launched.timestamp() == pytest.approx(7200, abs=1)
