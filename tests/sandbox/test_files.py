"""The files of a project: files/read, create, update and delete, and those of projects/update."""

from __future__ import annotations

import pytest
import requests


@pytest.fixture
def api(start):
    """The API of a sandbox whose project 7 has one file, main.py."""
    return start()[1]


def contents(api, **fields):
    files = api("files/read", projectId=7, **fields)["files"]
    return {file["name"]: file["content"] for file in files}


def test_files_can_be_written_and_read_again(api):
    api("files/create", projectId=7, name="more.py", content="x = 1")
    assert contents(api)["more.py"] == "x = 1"


def test_one_file_is_read_by_its_name(api):
    api("files/create", projectId=7, name="more.py", content="x = 1")
    assert contents(api, name="more.py") == {"more.py": "x = 1"}


def test_a_file_can_be_renamed(api):
    api("files/update", projectId=7, name="main.py", newName="other.py")
    assert list(contents(api)) == ["other.py"]


def test_a_file_can_be_replaced(api):
    api("files/update", projectId=7, name="main.py", content="x = 2")
    assert contents(api) == {"main.py": "x = 2"}


def test_a_file_can_be_deleted(api):
    api("files/create", projectId=7, name="more.py")
    api("files/delete", projectId=7, name="more.py")
    assert list(contents(api)) == ["main.py"]


@pytest.mark.parametrize(
    ("endpoint", "name", "complaint"),
    [
        ("files/read", "none.py", "File not found: none.py"),
        ("files/create", "main.py", "File already exists: main.py"),
        ("files/update", "none.py", "File not found: none.py"),
        ("files/delete", "none.py", "File not found: none.py"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_and_changes_nothing(api, endpoint, name, complaint):
    before = contents(api)
    answer = api(endpoint, projectId=7, name=name, content="x = 3")
    assert (answer["success"], answer["errors"][0].split(". ")[0]) == (False, complaint)
    assert contents(api) == before


def test_a_form_as_lean_sends_it_writes_files(start):
    sandbox, api = start()
    form = {
        "projectId": 7,
        "files[0][name]": "main.py",
        "files[0][content]": "x = 4",
        "files[1][name]": "more.py",
        "files[1][content]": "x = 5",
    }
    requests.post(f"{sandbox.base_url}/projects/update", data=form, timeout=10, **api.headers_and_auth())
    assert contents(api) == {"main.py": "x = 4", "more.py": "x = 5"}
