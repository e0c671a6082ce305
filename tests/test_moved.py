"""Code written for 0.1.0 still imports, is told where things are now, and gets the very same objects."""

from __future__ import annotations

import importlib
import sys

import pytest

from quantconnect_provider import _moved

pytestmark = pytest.mark.filterwarnings("ignore:quantconnect_provider:DeprecationWarning")


@pytest.mark.parametrize("old", sorted(_moved.MODULES))
def test_an_old_path_leads_to_a_module_of_today(old: str) -> None:
    importlib.import_module(f"quantconnect_provider.{_moved.MODULES[old]}")
    moved = importlib.import_module(f"quantconnect_provider.{old}")
    assert _moved.MODULES[old] in str(moved.__doc__)


def test_an_old_import_warns_and_gives_the_same_object() -> None:
    from quantconnect_provider.live.deploy.carry_over import with_portfolio

    sys.modules.pop("quantconnect_provider.live.carry_over", None)
    with pytest.warns(DeprecationWarning, match=r"import quantconnect_provider\.live\.deploy\.carry_over"):
        old = importlib.import_module("quantconnect_provider.live.carry_over")
    assert old.with_portfolio is with_portfolio


def test_an_old_name_gives_the_renamed_object() -> None:
    from quantconnect_provider.live.looks import Pace, look_at_project

    from quantconnect_provider.live.observation import observe_project
    from quantconnect_provider.live.polling import Polling

    assert (Pace, look_at_project) == (Polling, observe_project)


def test_what_never_was_is_not_found() -> None:
    with pytest.raises(ImportError):
        importlib.import_module("quantconnect_provider.live.never")
    with pytest.raises(ImportError):
        from quantconnect_provider.live.looks import never  # noqa: F401


def test_the_finder_of_old_paths_is_there_once() -> None:
    before = list(sys.meta_path)
    _moved.install()
    assert sys.meta_path == before
