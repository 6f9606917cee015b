"""Ray's kinds, as the operator, Ray's autoscaler, Ray Serve and the front itself read them."""

from __future__ import annotations

from copy import deepcopy
from math import inf
from typing import Any

import pytest
import yaml

from ray_router import RouterConfig

from .crds import KUBERAY, problems
from .files import FRONT, ROUTER, document
from .kustomization import rendered

ROUTERS, FRONTS = rendered(ROUTER), rendered(FRONT)
RAYS = [each for each in (*ROUTERS, *FRONTS) if each["apiVersion"].startswith("ray.io/")]
CONFIG = RouterConfig.from_file(ROUTER / "router.yaml")
needs_definitions = pytest.mark.skipif(not KUBERAY.is_dir(), reason=f"no definitions of KubeRay in {KUBERAY}")


def one(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one resource of a kind."""
    (found,) = [each for each in resources if each["kind"] == kind]
    return found


@needs_definitions
@pytest.mark.parametrize("resource", RAYS, ids=lambda each: str(each["kind"]))
def test_a_resource_is_as_it_is_defined(resource: dict[str, Any]) -> None:
    """With every feature in it, and with no field that the operator does not know."""
    assert problems(resource) == []


@needs_definitions
@pytest.mark.parametrize("kind", ["RayCluster", "RayJob"])
def test_a_resource_without_features_is_as_it_is_defined(kind: str) -> None:
    """Each file may be applied by itself."""
    (file,) = [each for each in ROUTER.glob("ray*.yaml") if each.stem == kind.lower()]
    assert problems(document(file)) == []


@needs_definitions
def test_what_is_not_defined_is_found() -> None:
    """A field that does not exist, a value of another kind, one that is none of those allowed, a lack."""
    good = one(ROUTERS, "RayCluster")
    cases: list[tuple[tuple[Any, ...], Any]] = [
        (("spec", "headGroupSpecs"), {}),
        (("spec", "autoscalerOptions", "version"), "v3"),
        (("spec", "autoscalerOptions", "idleTimeoutSeconds"), "300s"),
        (("spec", "headGroupSpec", "template", "spec", "containers", 0, "ports", 0, "port"), 1),
        (("spec", "workerGroupSpecs", 0), {"groupName": "x"}),
        (("apiVersion",), "ray.io/v1alpha1"),
    ]
    for path, value in cases:
        bad = place = deepcopy(good)
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        assert problems(bad), path


def node_types() -> dict[str, Any]:
    """What Ray's autoscaler reads out of the cluster, by group."""
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

    config = _derive_autoscaling_config_from_ray_cr(one(ROUTERS, "RayCluster"))
    assert config["idle_timeout_minutes"] * 60 == 300
    types: dict[str, Any] = config["available_node_types"]
    return types


def test_the_autoscaler_knows_how_many_partitions_a_worker_takes() -> None:
    """So that it adds one when a partition finds no seat; the head takes none."""
    head, workers = node_types().values()
    (seat,) = CONFIG.resources
    assert (head["resources"]["CPU"], head["resources"].get(seat, 0)) == (0, 0)
    seats = workers["resources"][seat] / CONFIG.resources[seat]
    assert seats * CONFIG.num_cpus <= workers["resources"]["CPU"]
    assert seats >= 1


def test_a_worker_may_be_lost() -> None:
    """Those that are left have seats for all partitions before another is started."""
    _, workers = node_types().values()
    (seat,) = CONFIG.resources
    assert (workers["min_workers"] - 1) * workers["resources"][seat] >= CONFIG.partitions
    assert workers["max_workers"] > workers["min_workers"]
    assert CONFIG.replicas == 1
    assert CONFIG.durability == "sync"


def test_a_lost_node_is_found_out_in_the_time_that_is_said() -> None:
    """The runbook's 15 seconds are what the settings come to."""
    cluster = one(ROUTERS, "RayCluster")["spec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        said = {each["name"]: int(each["value"]) for each in container["env"]}
        period, timeout, failures = (
            said[f"RAY_health_check_{name}"] for name in ("period_ms", "timeout_ms", "failure_threshold")
        )
        assert failures * (period + timeout) == 15_000


def test_the_job_outlasts_the_deployment() -> None:
    """It is not ended before the router says itself what it is waiting for."""
    assert one(ROUTERS, "RayJob")["spec"].get("activeDeadlineSeconds", inf) > 2 * CONFIG.deploy_timeout_s


def serve_config() -> dict[str, Any]:
    """What the RayService tells Ray Serve."""
    config: dict[str, Any] = yaml.safe_load(one(FRONTS, "RayService")["spec"]["serveConfigV2"])
    return config


def test_the_front_is_what_ray_serve_would_make_of_it() -> None:
    """Its config is Serve's; the function that it names makes the application, of settings that are ours."""
    pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
    from ray._common.utils import import_attr
    from ray.serve._private.api import call_user_app_builder_with_args_if_necessary
    from ray.serve.schema import ServeDeploySchema

    from ray_router.serve import FrontSettings

    config = serve_config()
    read = ServeDeploySchema.model_validate(config)
    assert read.model_dump(exclude_unset=True, mode="json") == config
    (application,) = read.applications
    made = call_user_app_builder_with_args_if_necessary(
        import_attr(application.import_path), application.args
    )
    settings = FrontSettings.build(**application.args)
    assert made._bound_deployment.num_replicas == settings.replicas
    assert (settings.router, settings.namespace) == (CONFIG.name, "ray_router")
    assert settings.api_tokens
    assert list(settings.webhooks)
