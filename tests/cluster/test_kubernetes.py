"""Kubernetes' own kinds, and the Prometheus operator's, against the schemas of those."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest

from .files import FRONT, ROUTER
from .kustomization import rendered

RESOURCES = rendered(ROUTER)
OWN = ("ray.io", "monitoring.coreos.com")
CORE = [each for each in RESOURCES if each["apiVersion"].partition("/")[0] not in OWN]
VERSIONS = ("1.30", kubernetes_validate.latest_version())


def pods() -> Iterator[Any]:
    """The pods that Ray's operator makes, as far as they are ours."""
    for resource in (*RESOURCES, *rendered(FRONT)):
        spec = resource["spec"] if resource["kind"] == "RayCluster" else None
        if resource["kind"] == "RayService":
            spec = resource["spec"]["rayClusterConfig"]
        for group in () if spec is None else (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
            name = f"{resource['kind']}-{group.get('groupName', 'head')}".lower()
            pod = group["template"] | {"apiVersion": "v1", "kind": "Pod"}
            yield pytest.param(pod | {"metadata": pod["metadata"] | {"name": name}}, id=name)


def names(each: Any) -> str:
    """A resource in a test's name."""
    return f"{each['kind']}-{each['metadata']['name']}" if isinstance(each, dict) else str(each)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("resource", CORE, ids=names)
def test_a_resource_is_as_kubernetes_has_it(resource: dict[str, Any], version: str) -> None:
    """In an old version and the newest, without a field too many."""
    kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("pod", list(pods()))
def test_a_pod_of_ray_is_as_kubernetes_has_it(pod: dict[str, Any]) -> None:
    """The operator hands the template on."""
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_what_kubernetes_does_not_have_is_found() -> None:
    """A field too many is refused."""
    (budget,) = [each for each in CORE if each["kind"] == "PodDisruptionBudget"]
    bad = budget | {"spec": budget["spec"] | {"minAvailible": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(bad, VERSIONS[-1], strict=True)


@pytest.mark.chaos  # the model is one module of two megabytes: it takes longer to import than all else here
def test_the_monitor_is_as_the_prometheus_operator_has_it() -> None:
    """Its model takes it, and knows each of its fields: what it does not know it would leave out."""
    # Imported by name: a type checker would read it all, too.
    models = importlib.import_module("cloudcoil.models.prometheus_operator.v1")
    (monitor,) = [each for each in RESOURCES if each["kind"] == "PodMonitor"]
    read = models.PodMonitor.model_validate(monitor)
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True) == monitor
