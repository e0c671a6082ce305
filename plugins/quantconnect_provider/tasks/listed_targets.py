"""The deployments that an operator of the harvest works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.live.text_values import read_structure
from quantconnect_provider.tasks.inputs import is_nothing, project_ids_of
from quantconnect_provider.tasks.listed_deployment import ListedDeployment, list_deployments

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


def listed_targets(client: QuantConnectClient, deployments: Any, project_ids: Any) -> list[ListedDeployment]:
    """Return the deployments that an earlier task listed, or list those of some projects or of all.

    :param deployments: a list of `ListedDeployment.to_json`, or what stands for nothing.
    :param project_ids: ids, or what stands for nothing.
    :raises InvalidSettingError: if *deployments* is no list of objects.
    """
    if not is_nothing(deployments):
        listed = read_structure(deployments, "deployments")
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise InvalidSettingError(
                "deployments is not a list of objects.", advice="Give what list_deployments returned."
            )
        return [ListedDeployment.from_json(entry) for entry in listed]
    asked = None if is_nothing(project_ids) else project_ids_of(project_ids)
    return list_deployments(client, asked)
