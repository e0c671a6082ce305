"""Fields that are templated: what they read is what was meant, however Jinja spelled it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.definitions._internal.templater import NativeEnvironment, SandboxedEnvironment
from hypothesis import given
from hypothesis import strategies as st

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.tasks.inputs import (
    flag_of,
    mapping_of,
    project_id_of,
    project_ids_of,
    text_or_none,
    texts_of,
)

ENVIRONMENTS = (SandboxedEnvironment(), NativeEnvironment())
"""Without and with ``render_template_as_native_obj``."""

PLAIN = ("{{ value }}", "{{ value | tojson }}")
LINES = ("{{ value | join(',') }}", "{{ value | join(', ') }}", "{{ value | join('\n') }}")

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
names = st.text(st.sampled_from("abcXYZ-_.09 "), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name
)
numbers = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)


def renderings(value: Any, *templates: str) -> list[Any]:
    return [
        environment.from_string(each).render(value=value)
        for environment in ENVIRONMENTS
        for each in templates
    ]


@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=5, unique=True))
def test_project_ids_are_read_from_every_rendering(ids: list[int]) -> None:
    for value in (ids, [str(each) for each in ids], tuple(ids)):
        for rendered in (value, *renderings(value, *PLAIN, *LINES)):
            assert project_ids_of(rendered) == ids


@given(st.dictionaries(names, texts | numbers | st.booleans() | st.none(), min_size=1, max_size=5))
def test_parameters_are_read_from_every_rendering(parameters: dict[str, Any]) -> None:
    for rendered in (parameters, *renderings(parameters, *PLAIN)):
        assert mapping_of(rendered, "parameters") == parameters


@given(
    st.lists(st.sampled_from(["Running", "Stopped", "ib_paper", "x-1"]), min_size=1, max_size=4, unique=True)
)
def test_texts_are_read_from_every_rendering(wanted: list[str]) -> None:
    for rendered in (wanted, *renderings(wanted, *PLAIN, *LINES)):
        assert texts_of(rendered, "target") == wanted


@given(st.booleans())
def test_flags_are_read_from_every_rendering(flag: bool) -> None:
    for rendered in renderings(flag, *PLAIN):
        assert flag_of(rendered, "full") is flag


@pytest.mark.parametrize("read", [mapping_of, texts_of, lambda value, _: text_or_none(value)])
def test_nothing_is_nothing_in_every_rendering(read: Callable[[Any, str], Any]) -> None:
    for rendered in (None, "", *renderings(None, *PLAIN)):
        assert read(rendered, "field") is None


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: project_ids_of("[5, NaN]"), r"project_ids\[1\] is nan"),
        (lambda: project_ids_of("5, x"), r"project_ids\[1\] is 'x'"),
        (lambda: project_ids_of("[5, 6"), "must be a list of project ids"),
        (lambda: project_ids_of(None), "must be a list of project ids"),
        (lambda: project_ids_of(" "), "project_ids is empty"),
        (lambda: project_ids_of({5, 6}), "project_ids is of the type set"),
        (lambda: project_ids_of(True), "must be a list of project ids"),
        (lambda: project_id_of("9" * 5000), "It must be the project's number"),
        (lambda: mapping_of('{"a": Infinity}', "parameters"), r"parameters\.a is inf"),
        (lambda: mapping_of("{1: 'a'}", "parameters"), "the name 1, which is not text"),
        (lambda: mapping_of('["a"]', "parameters"), "parameters is not an object"),
        (lambda: texts_of('["a\\u0000"]', "target"), r"target\[0\] contains a NUL"),
        (lambda: texts_of("Running, Running", "target"), "names Running more than once"),
        (lambda: texts_of("[1]", "target"), "must be a list of texts"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(read: Callable[[], Any], words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words) as refused:
        read()
    assert len(str(refused.value)) < 300
