"""The kustomizations: what they apply, and that each feature is a patch of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .files import FRONT, ROUTER, document
from .kustomization import merged, rendered

FEATURES = {
    "autoscaling.yaml": ("enableInTreeAutoscaling", "autoscalerOptions"),
    "head-fault-tolerance.yaml": ("gcsFaultToleranceOptions",),
    "token-authentication.yaml": ("authOptions",),
}


def by_name(resources: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Resources by kind and name."""
    found = {(each["kind"], each["metadata"]["name"]): each for each in resources}
    assert len(found) == len(resources)
    return found


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("folder", [ROUTER, FRONT], ids=lambda folder: str(folder.name))
def test_kubectl_makes_the_same_of_them(folder: Path) -> None:
    """So that what the other tests look at is what is applied."""
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert by_name(list(yaml.safe_load_all(done.stdout))) == by_name(rendered(folder))


@pytest.mark.parametrize(("file", "fields"), FEATURES.items(), ids=FEATURES)
def test_a_feature_is_one_patch(file: str, fields: tuple[str, ...]) -> None:
    """It brings its own fields and nothing else, and without it the cluster has none of them."""
    patch = document(ROUTER / file)
    plain = document(ROUTER / "raycluster.yaml")
    assert tuple(patch["spec"]) == fields
    assert not plain["spec"].keys() & patch["spec"].keys()
    assert (patch["kind"], patch["metadata"]) == ("RayCluster", {"name": plain["metadata"]["name"]})
    assert {each["path"] for each in document(ROUTER / "kustomization.yaml")["patches"]} == set(FEATURES)


def test_every_file_is_applied() -> None:
    """Nothing lies about that nobody reads."""
    for folder in (ROUTER, FRONT):
        settings = document(folder / "kustomization.yaml")
        used = {*settings["resources"], *(each.get("path") for each in settings["patches"])}
        used |= {name for each in settings.get("configMapGenerator", ()) for name in each["files"]}
        assert {path.name for path in folder.iterdir()} - used == {"kustomization.yaml"}


def test_the_front_has_the_cluster_of_the_router() -> None:
    """With all features; and of the two the cluster is there once, and no job looks for the other."""
    router, front = by_name(rendered(ROUTER)), by_name(rendered(FRONT))
    cluster = router.pop(("RayCluster", "ray-router"))
    job = router.pop(("RayJob", "ray-router-up"))
    service = front.pop(("RayService", "ray-router"))
    assert service["spec"]["rayClusterConfig"] == cluster["spec"]
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
    assert front == router


def test_a_patch_is_merged() -> None:
    """The examples of RFC 7386 that matter here."""
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"c": None, "d": [3]}}) == {"a": {"b": 1, "d": [3]}}
    assert merged([1, 2], {"a": {"b": 1}}) == {"a": {"b": 1}}
