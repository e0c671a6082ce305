"""One declaration of an option of a deployment, and everything that follows from it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.dag_support.deploy_form import deploy_params
from quantconnect_provider.operators.live import QuantConnectCreateLiveOperator
from quantconnect_provider.tasks.deploy_request import DeployRequest
from quantconnect_provider.tasks.form_option import HOW, option, options_of, takes
from quantconnect_provider.tasks.operator import QuantConnectOperator


@dataclass(frozen=True)
class Shoe:
    """A request with one option, declared as those of a deployment are."""

    size: int = option(
        lambda value, name: int(value),
        default=42,
        argument="shoe_size",
        title="Size",
        section=HOW,
        description="European.",
        schema={"type": "integer"},
    )


class Shoemaker(QuantConnectOperator):
    """An operator that takes it."""

    shoe_size: Any
    template_fields = ("shoe_size",)

    @takes(Shoe)
    def __init__(self, *, colour: str = "black", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.colour = colour


def test_an_operator_takes_a_declared_option_and_its_default() -> None:
    assert Shoemaker(task_id="a", shoe_size="43", colour="red").shoe_size == "43"
    assert Shoemaker(task_id="b").shoe_size == 42


def test_default_args_reach_a_declared_option() -> None:
    assert Shoemaker(task_id="a", default_args={"shoe_size": 45}).shoe_size == 45


def test_an_operator_maps_over_a_declared_option() -> None:
    mapped = Shoemaker.partial(task_id="a").expand(shoe_size=[41, 42])

    assert mapped.task_type == "Shoemaker"


def test_an_argument_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="shoe_siz"):
        Shoemaker(task_id="a", shoe_siz=43)


def test_the_form_has_the_declared_words() -> None:
    param = options_of(Shoe)["size"].param()

    assert (param.value, param.description) == (42, "European.")
    assert param.schema == {"type": "integer", "title": "Size", "section": HOW}


def test_every_option_of_a_deployment_is_in_the_form_and_in_the_operator() -> None:
    names = set(DeployRequest.options())
    arguments = set(DeployRequest.arguments().values())

    assert set(deploy_params()) == names | {"approval"}
    assert arguments <= set(QuantConnectCreateLiveOperator.template_fields)
    assert arguments <= set(inspect.signature(QuantConnectCreateLiveOperator.__init__).parameters)
    assert DeployRequest.templates()["live_node_id"] == "{{ params.node_id }}"


def test_a_project_must_be_given() -> None:
    with pytest.raises(TypeError, match="project_id"):
        QuantConnectCreateLiveOperator(task_id="deploy", compile_id="c")


def test_what_templates_give_is_read_once_into_types() -> None:
    request = DeployRequest.of(
        {
            "project_id": "7",
            "version_id": 17202,
            "automatic_redeploy": "True",
            "data_providers": "['polygon', 'QuantConnectBrokerage']",
            "parameters": '{"fast": 10, "slow": null}',
            "node_id": "None",
        }
    )

    assert (request.project_id, request.version_id, request.automatic_redeploy) == (7, "17202", True)
    assert (request.data_providers, request.node_id) == (["polygon", "QuantConnectBrokerage"], None)
    assert request.parameters == {"fast": "10"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("project_id", "Momentum"),
        ("version_id", "latest"),
        ("if_running", "whatever"),
        ("automatic_redeploy", "perhaps"),
        ("data_providers", [1]),
        ("notification", "text"),
        ("parameters", {"a": [1]}),
        ("cash", "much"),
        ("holdings", [{}]),
    ],
)
def test_an_option_that_cannot_be_right_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidSettingError, match=field) as error:
        DeployRequest.of({"project_id": 7, field: value})

    assert error.value.advice
