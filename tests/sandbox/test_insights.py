from __future__ import annotations

import json

import pytest

HISTORY = {"history": {"count": 250, "every_seconds": 60, "period_seconds": 600}}


@pytest.fixture
def alpha(start):
    """A sandbox with one running deployment that has 250 insights, or what `insights` says."""

    def starter(insights=HISTORY, deployments=None):
        deployments = [{"status": "Running"}] if deployments is None else deployments
        project = {"name": "Alpha", "id": 7, "insights": insights, "deployments": deployments}
        return start({"projects": [project]})

    return starter


def alpha_api(alpha, **modes):
    sandbox, api = alpha()
    sandbox.set_api(insights=modes)
    return sandbox, api


def page(api, start, end, **fields):
    return api("live/insights/read", projectId=7, start=start, end=end, **fields)


def ids(answer):
    return [insight["id"] for insight in answer["insights"]]


def truth(sandbox, **arguments):
    deploy_id = sandbox.deployments()[0]["deploy_id"]
    return sandbox.insights(deploy_id, **arguments)


def test_pages_follow_one_another_and_make_up_the_whole(alpha):
    sandbox, api = alpha()
    pages = [ids(page(api, start, start + 100)) for start in (0, 100, 200)]
    assert [len(rows) for rows in pages] == [100, 100, 50]
    assert [*pages[0], *pages[1], *pages[2]] == [row["insight_id"] for row in truth(sandbox)["rows"]]


def test_ids_are_32_hex_digits_and_unique(alpha):
    _, api = alpha()
    found = ids(page(api, 0, 100))
    assert len({i for i in found if len(i) == 32 and int(i, 16)}) == 100


def test_the_same_seed_gives_the_same_insights(alpha):
    first, second = alpha()[1], alpha()[1]
    assert ids(page(first, 0, 100)) == ids(page(second, 0, 100))


def test_another_seed_gives_other_insights(start):
    project = {"name": "Alpha", "id": 7, "insights": HISTORY, "deployments": [{}]}
    found = [ids(page(start({"projects": [project]}, seed=seed)[1], 0, 100)) for seed in (1, 2)]
    assert found[0] != found[1]


def test_insights_are_sorted_by_the_time_at_which_they_were_generated(alpha):
    _, api = alpha()
    times = [insight["generatedTime"] for insight in page(api, 0, 100)["insights"]]
    assert times == sorted(times)
    assert times[1] - times[0] == 60


# --- what the documentation leaves open -------------------------------------------------------------


def test_the_end_can_be_inclusive(alpha):
    _, api = alpha_api(alpha, end="inclusive")
    assert len(ids(page(api, 0, 10))) == 11


@pytest.mark.parametrize(("rule", "width", "success"), [
    ("at_most", 100, True), ("at_most", 101, False), ("below", 99, True), ("below", 100, False),
])  # fmt: skip
def test_the_window_is_limited(alpha, rule, width, success):
    _, api = alpha_api(alpha, window_rule=rule)
    assert page(api, 0, width)["success"] is success


def test_a_start_past_the_end_is_empty(alpha):
    _, api = alpha_api(alpha, past_end="empty")
    assert page(api, 250, 350)["insights"] == []


def test_a_start_past_the_end_can_be_an_error(alpha):
    _, api = alpha_api(alpha, past_end="error")
    assert page(api, 250, 350)["success"] is False


def test_a_start_past_the_end_can_be_clamped_to_the_last_page(alpha):
    _, api = alpha_api(alpha, past_end="clamp")
    assert ids(page(api, 1000, 1100)) == ids(page(api, 150, 250))


@pytest.mark.parametrize(("mode", "length"), [("total", 250), ("page", 50)])
def test_length_is_the_total_or_the_pages(alpha, mode, length):
    _, api = alpha_api(alpha, length=mode)
    assert page(api, 200, 300)["length"] == length


def test_the_start_can_be_left_out(alpha):
    _, api = alpha()
    assert ids(api("live/insights/read", projectId=7, end=30)) == ids(page(api, 0, 30))


@pytest.mark.parametrize("spelling", ["original", "openapi", "engine"])
def test_a_row_changed_by_hand_is_spelled_as_all_others(alpha, spelling):
    sandbox, api = alpha_api(alpha, spelling=spelling)
    before = page(api, 0, 1)["insights"]
    sandbox.change_insights(sandbox.deployments()[0]["deploy_id"], [0], {"tag": None})
    after = page(api, 0, 1)["insights"]
    assert json.dumps(after) == json.dumps(before)


def test_the_original_spelling_has_numbers_as_text(alpha):
    _, api = alpha_api(alpha, spelling="original")
    insight = page(api, 0, 1)["insights"][0]
    assert isinstance(insight["reference"], str)
    assert isinstance(insight["generatedTime"], str)
    assert "scoreIsFinal" in insight


def test_the_engines_spelling_has_rounded_texts_and_fractional_times(alpha):
    _, api = alpha_api(alpha, spelling="engine")
    insight = page(api, 0, 1)["insights"][0]
    assert isinstance(insight["magnitude"], str)
    assert isinstance(insight["closeTime"], float)
    assert isinstance(insight["reference"], float)


def test_unknown_fields_can_be_added_to_every_row(alpha):
    _, api = alpha_api(alpha, extra_fields={"newField": [1]})
    assert page(api, 0, 1)["insights"][0]["newField"] == [1]


# --- which deployment -----------------------------------------------------------------------------------


TWO = [{"status": "Stopped", "stopped_ago_seconds": 90_000}, {"status": "Running"}]


def test_without_an_algorithm_id_the_latest_deployment_is_read(alpha):
    sandbox, api = alpha(deployments=TWO)
    latest = sandbox.deployments()[1]["deploy_id"]
    assert ids(page(api, 0, 10)) == ids(page(api, 0, 10, algorithmId=latest))


def test_an_earlier_deployment_is_read_by_its_id(alpha):
    sandbox, api = alpha(deployments=TWO)
    first, latest = (d["deploy_id"] for d in sandbox.deployments())
    assert not set(ids(page(api, 0, 100, algorithmId=first))) & set(
        ids(page(api, 0, 100, algorithmId=latest))
    )


def test_a_deployment_of_another_project_is_not_found(alpha):
    _, api = alpha()
    assert "No live deployment found" in page(api, 0, 10, algorithmId="L-0")["errors"][0]


# --- the life of an insight --------------------------------------------------------------------------------


def test_an_insight_closes_then_is_scored_then_is_final(alpha):
    insights = {"history": {"count": 1, "period_seconds": 600}, "score_seconds": 300}
    sandbox, _ = alpha(insights)
    rows = [truth(sandbox)["rows"][0]]
    for seconds in (600, 300):
        sandbox.advance(seconds)
        rows.append(truth(sandbox)["rows"][0])
    assert [bool(row["score_magnitude"]) for row in rows] == [False, True, True]
    assert [row["score_is_final"] for row in rows] == [False, False, True]


def test_insights_without_a_score_function_never_get_final(alpha):
    sandbox, _ = alpha({**HISTORY, "scored": False})
    sandbox.advance(1e6)
    assert not any(row["score_is_final"] for row in truth(sandbox)["rows"])


def test_some_insights_never_expire(alpha):
    _, api = alpha({**HISTORY, "never_expiring_every": 10})
    closing_in_2050 = [
        i for i, row in enumerate(page(api, 0, 100)["insights"]) if row["closeTime"] > 2_556_000_000
    ]
    assert closing_in_2050 == list(range(9, 100, 10))


def test_nothing_is_scored_any_more_when_the_deployment_is_over(alpha):
    sandbox, _ = alpha()
    sandbox.set_status(sandbox.deployments()[0]["deploy_id"], "Stopped")
    before = truth(sandbox)["rows"]
    sandbox.advance(1e6)
    assert truth(sandbox)["rows"] == before


def test_a_running_algorithm_emits_insights(alpha):
    sandbox, api = alpha({"growth": {"every_seconds": 10}})
    lengths = []
    for _ in range(3):
        sandbox.advance(20)
        lengths.append(page(api, 0, 100)["length"])
    assert lengths == [2, 4, 6]


def test_a_stopped_algorithm_emits_none(alpha):
    sandbox, api = alpha({"growth": {"every_seconds": 10}})
    sandbox.set_status(sandbox.deployments()[0]["deploy_id"], "Stopped")
    before = page(api, 0, 100)["length"]
    sandbox.advance(100)
    assert page(api, 0, 100)["length"] == before


def test_a_new_deployment_emits_some_at_once(start):
    project = {"name": "Alpha", "id": 7, "insights": {"growth": {"immediate": 12}}}
    sandbox, api = start({"projects": [project]})
    api.create(7)
    sandbox.advance(60)
    assert page(api, 0, 100)["length"] == 12


# --- snapshots -------------------------------------------------------------------------------------------


def grow_by(sandbox, count):
    return sandbox.add_insights(sandbox.deployments()[0]["deploy_id"], count)


def test_answers_come_from_a_snapshot(alpha):
    sandbox, api = alpha()
    sandbox.set_api(insights={"refresh_seconds": 600})
    page(api, 0, 1)
    grow_by(sandbox, 5)
    seen = [page(api, 0, 1)["length"]]
    sandbox.advance(600)
    assert [*seen, page(api, 0, 1)["length"]] == [250, 255]


def test_a_snapshot_does_not_show_what_came_between_it_and_the_request(start):
    api_settings = {"insights": {"refresh_seconds": 600}}
    project = {"name": "Alpha", "id": 7, "insights": HISTORY, "deployments": [{}]}
    sandbox, api = start({"projects": [project], "api": api_settings})
    grow_by(sandbox, 5)
    sandbox.advance(900)
    grow_by(sandbox, 5)
    assert page(api, 0, 1)["length"] == 255


def test_a_fresh_deployment_shows_nothing_until_its_first_snapshot(start):
    project = {"name": "Alpha", "id": 7, "insights": {"growth": {"immediate": 12}}}
    sandbox, api = start({"projects": [project], "api": {"insights": {"refresh_seconds": 600}}})
    api.create(7)
    sandbox.advance(60)
    seen = [page(api, 0, 100)["length"]]
    sandbox.advance(600)
    assert [*seen, page(api, 0, 100)["length"]] == [0, 12]


def test_the_last_snapshot_follows_the_end(start):
    api_settings = {"insights": {"refresh_seconds": 600}}
    project = {"name": "Alpha", "id": 7, "insights": {**HISTORY, "flush_seconds": 120}, "deployments": [{}]}
    sandbox, api = start({"projects": [project], "api": api_settings})
    grow_by(sandbox, 5)
    sandbox.set_status(sandbox.deployments()[0]["deploy_id"], "Stopped")
    seen = [page(api, 0, 1)["length"]]
    sandbox.advance(120)
    assert [*seen, page(api, 0, 1)["length"]] == [250, 255]


# --- the list changes ---------------------------------------------------------------------------------


def test_removed_insights_let_later_ones_move_down(alpha):
    sandbox, api = alpha()
    before = ids(page(api, 0, 100))
    assert sandbox.remove_insights(sandbox.deployments()[0]["deploy_id"], 10, 20) == 10
    assert ids(page(api, 0, 90)) == before[:10] + before[20:]


def test_removed_insights_are_still_part_of_the_truth(alpha):
    sandbox, _ = alpha()
    before = truth(sandbox)["rows"]
    sandbox.remove_insights(sandbox.deployments()[0]["deploy_id"], 10, 20)
    assert truth(sandbox, removed=True)["rows"] == before


def test_an_insight_can_appear_between_others(alpha):
    sandbox, api = alpha()
    (new,) = sandbox.add_insights(sandbox.deployments()[0]["deploy_id"], 1, position=3)
    assert ids(page(api, 0, 10))[3] == new


def test_a_cancelled_insight_is_closed_before_its_time(alpha):
    sandbox, _ = alpha()
    sandbox.close_insights(sandbox.deployments()[0]["deploy_id"], [249])
    row = truth(sandbox, start=249)["rows"][0]
    assert row["closes_at"] == int(sandbox.now()) - 1
    assert row["period_seconds"] == row["closes_at"] - row["generated_at"]


def test_fields_of_a_row_can_be_set(alpha):
    sandbox, api = alpha()
    sandbox.change_insights(
        sandbox.deployments()[0]["deploy_id"], [5], {"tag": 'a "quoted" tag', "weight": 0.7}
    )
    row = page(api, 5, 6)["insights"][0]
    assert (row["tag"], row["weight"]) == ('a "quoted" tag', 0.7)


@pytest.mark.parametrize(("mode", "kept"), [("append", True), ("reset", False)])
def test_a_restart_appends_to_the_list_or_empties_it(alpha, mode, kept):
    sandbox, api = alpha({**HISTORY, "growth": {"immediate": 3}})
    sandbox.set_api(insights={"on_restart": mode})
    first = ids(page(api, 0, 1))
    sandbox.restart(sandbox.deployments()[0]["deploy_id"])
    sandbox.advance(60)
    assert (ids(page(api, 0, 1)) == first) is kept
    assert page(api, 0, 1)["length"] == (253 if kept else 3)
