"""What users write about policies: what is read, and the message about each thing that cannot be right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.policies.policy import Alert, Liquidate, Policies, Redeploy, Stop
from quantconnect_provider.policies.read import read_policies, read_policies_file

STOP = "- {event: drawdown, action: stop, projects: all}"


def entry(**fields: object) -> str:
    return json.dumps([{"event": "died", "action": "redeploy", "projects": [7], "deploy": {}, **fields}])


def test_every_action_is_read() -> None:
    found = read_policies("""
- event: died
  action: redeploy
  projects: [7, 8]
  at_most: 2
  backoff_factor: 1.5
  deploy:
    brokerage_conn_id: ib
    parameters: {on: yes, at: 22:00:00, day: 2026-01-01, ema: "010", n: 010, x: 1e3}
- {event: died, action: alert, projects: all}
- {event: drawdown, action: liquidate, projects: [7], limit: 0.2, approval: always}
- {event: drawdown, action: stop, projects: all}
""")
    parameters = {"on": "yes", "at": "22:00:00", "day": "2026-01-01", "ema": "010", "n": "010", "x": 1000.0}
    deploy = {"brokerage_conn_id": "ib", "parameters": parameters}
    assert found.entries == (
        Redeploy(event="died", projects=[7, 8], at_most=2, backoff_factor=1.5, deploy=deploy),
        Alert(event="died", projects="all"),
        Liquidate(event="drawdown", projects=[7], limit=0.2, approval="always"),
        Stop(event="drawdown", projects="all"),
    )
    assert found.find("drawdown", 7) == found.entries[2]
    assert found.find("drawdown", 9) == found.entries[3]
    assert found.named_projects() == {7, 8}


@pytest.mark.parametrize("text", ["", "  \n", "# nothing yet", "[]", "null"])
def test_nothing_is_no_policy(text: str) -> None:
    assert read_policies(text) == Policies()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STOP.replace("stop", "sell"), "line 1: action: invalid value 'sell'. The actions are, about died"),
        (STOP.replace("drawdown", "stale"), "line 1: event: invalid enum value 'stale'. The actions are, "),
        (STOP.replace("stop", "redeploy, deploy: {}"), "line 1: event: invalid enum value 'drawdown'"),
        ("- event: died\n  projects: all", "line 1: action is missing"),
        ("- action: stop\n  projects: all", "line 1: event is missing"),
        ("- event: died\n  action: alert", "line 1: the policy names no project. Give projects as a list"),
        ("- event: died\n  action: alert\n  projects: []", "line 3: the policy names no project"),
        ("- event: died\n  action: alert\n  projects: [Momentum]", "projects[0]: expected `int`, got `str`"),
        (STOP.replace("all", "Momentum"), "line 1: projects: invalid enum value 'Momentum'"),
        (STOP.replace("all", "[-7]"), "line 1: projects[0]: expected `int` >= 1"),
        (STOP.replace("all", "[true]"), "line 1: projects[0]: expected `int`, got `bool`"),
        (f"{STOP}\n- event: died\n  colour: red\n  action: alert\n  projects: [1]", "3: there is no colour"),
        (STOP.replace("stop", "x" * 5000), "line 1: action: invalid value 'xxx"),
        (STOP.replace("all", "all, limit: 20 %"), "0.2 is 20 %"),
        (STOP.replace("all", "all, limit: -0.2"), "line 1: limit: expected `float` > 0.0"),
        (STOP.replace("all", "all, limit: .nan"), "line 1: limit: expected `float | null`, got `str`"),
        (STOP.replace("all", "all, limit: 1e999"), "line 1: limit: expected `float | null`, got `str`"),
        (entry(at_most=0), "line 1: at_most: expected `int` >= 1"),
        (entry(at_most=2.5), "line 1: at_most: expected `int`, got `float`"),
        (entry(backoff_seconds=-1), "line 1: backoff_seconds: expected `float` >= 0.0"),
        (entry(backoff_factor=0.5), "line 1: backoff_factor: expected `float` >= 1.0"),
        (entry(approval="maybe"), "line 1: approval: invalid enum value 'maybe'"),
        ("- {event: died, action: redeploy, projects: [7]}", "does not say how to deploy: deploy is missing"),
        (entry(deploy={"project_id": 8}), "line 1: deploy has project_id, which the guard sets"),
        (entry(deploy={"if_running": "redeploy"}), "line 1: deploy has if_running, which the guard sets"),
        (entry(deploy={"approval": "never"}), "approval is a key of the policy itself"),
        (f"{STOP}\n{STOP}", "line 2: all projects have a policy for drawdown already, on line 1"),
        (STOP.replace("all", "[7, 7]"), "line 1: project 7 has a policy for drawdown already"),
        ("- action: stop\n  action: stop", "line 2: action is there twice"),
        (f"- &a {STOP[2:]}\n- *a", "line 1: an alias (*name) is not taken"),
        ("- !!python/object/apply:os.system [ls]", "line 1: a tag (!name) is not taken"),
        ("- {? [1] : 2}", "line 1: a key is not text"),
        ("- {a", "line 1: this is no YAML"),
        (f"{STOP}\n---\n{STOP}", "line 2: this is no YAML"),
        ("event: died", "policies: expected `array`, got `object`. Write a list of policies"),
        ("- died", "line 1: expected `object`, got `str`"),
        ("[" * 2000, "it is nested too deeply"),
        ("\x07", "a character that YAML does not take"),
        ("#" * 65_537, "longer than 64 KiB"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        read_policies(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("policies")
    assert len(str(caught.value)) < 500


def test_what_is_deployed_is_checked_and_named() -> None:
    def check(deploy: object) -> None:
        raise InvalidSettingError("There is no param colour.", advice="The params are: node_id.")

    with pytest.raises(
        InvalidSettingError, match=r"line 1: deploy: There is no param colour\. The params are"
    ):
        read_policies(entry(), check_deploy=check)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policies.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + STOP.encode())
    assert read_policies_file(str(file)) == read_policies(STOP)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 70_000, "longer than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "policies.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSettingError, match=message) as caught:
        read_policies_file(str(file))
    assert str(file) in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event", "action", "projects", "deploy", "limit", "at_most"])
            | st.text(max_size=3),
            inner | st.sampled_from(["died", "drawdown", "stop", "redeploy", "alert", "all"]),
            max_size=5,
        )
    ),
    max_leaves=10,
)


@example('["\\ud9a5"]')
@given(st.text(max_size=60) | st.lists(JSON, max_size=3).map(json.dumps))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    message = refusal(text)
    assert not message or message.startswith("policies")
    assert len(message) < 500


def test_a_character_that_json_escapes_as_two_halves_is_one() -> None:
    assert "'\U0001f4c8'" in refusal('[{"event": "died", "action": "\\ud83d\\udcc8", "projects": "all"}]')


def refusal(text: str) -> str:
    try:
        read_policies(text)
    except InvalidSettingError as error:
        return str(error)
    return ""
