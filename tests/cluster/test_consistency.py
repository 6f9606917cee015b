"""What the files say of each other: ports, secrets, images, labels, versions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import pytest
import yaml

import ray_router
from ray_router import RouterConfig

from .files import DOCKERFILE, FRONT, KUBERAY, LAUNCHER, ROUTER, document, shell_lines
from .kustomization import rendered

RESOURCES = {"router": rendered(ROUTER), "front": rendered(FRONT)}
everywhere = pytest.mark.parametrize("resources", RESOURCES.values(), ids=RESOURCES)

ELSEWHERE = {
    ("app.kubernetes.io/name", "kuberay-operator"),  # the operator's own pod
    ("app.kubernetes.io/created-by", "kuberay-operator"),  # and its jobs
    ("ray-router/may-call", "front"),  # for whoever says so of itself
}
"""Labels of pods that others make."""

Resource = dict[str, Any]


def within(node: Any, name: str) -> Iterator[Any]:
    """Every value of a field, wherever it is."""
    if isinstance(node, dict):
        if name in node:
            yield node[name]
        for value in node.values():
            yield from within(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from within(value, name)


def pods(resources: list[Resource]) -> dict[str, Resource]:
    """The templates of all pods, by what they are."""
    found = {}
    for resource in resources:
        spec = resource.get("spec", {})
        spec = spec.get("rayClusterConfig", spec)
        if "headGroupSpec" in spec:
            found["head"] = spec["headGroupSpec"]["template"]
            found |= {group["groupName"]: group["template"] for group in spec["workerGroupSpecs"]}
        elif "template" in spec:
            found[resource["metadata"]["name"]] = spec["template"]
    return found


def containers(resources: list[Resource]) -> list[Resource]:
    """The containers of all pods."""
    return [each for pod in pods(resources).values() for each in pod["spec"]["containers"]]


def named_ports(pod: Resource) -> dict[str, int]:
    """A pod's ports, by name."""
    return {
        port["name"]: port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container["ports"]
    }


def selected(resources: list[Resource], selector: dict[str, str]) -> dict[str, Resource]:
    """The pods that a selector means, with what the operator adds to their labels."""
    found = {}
    for name, pod in pods(resources).items():
        labels = dict(pod["metadata"]["labels"])
        if "-redis" not in name:
            labels["ray.io/node-type"] = "head" if name == "head" else "worker"
        if selector.items() <= labels.items():
            found[name] = pod
    return found


def made_secrets() -> dict[str, set[str]]:
    """The secrets that the runbook has made, with their keys."""
    found = {}
    for line in shell_lines():
        if "create secret generic" in line:
            words = shlex.split(line)
            keys = {word.split("=")[1] for word in words if word.startswith("--from-literal=")}
            found[words[words.index("generic") + 1]] = keys
    return found


@everywhere
def test_secrets_that_are_named_are_made(resources: list[Resource]) -> None:
    """By the runbook, with the keys that are read; and it makes none for nobody."""
    made = made_secrets()
    named: dict[str, set[str]] = {}
    for reference in within(resources, "secretKeyRef"):
        named.setdefault(reference["name"], set()).add(reference["key"])
    for name in within(resources, "secretName"):
        named.setdefault(name, set()).add("auth_token")
    for reference in within(resources, "secretRef"):
        named.setdefault(reference["name"], set())
    assert named.keys() == made.keys()
    for name, keys in named.items():
        assert keys <= made[name]


def test_secrets_of_the_front_are_made() -> None:
    """Each environment variable that its settings name is a key of the secret that its pods are given."""
    (service,) = [each for each in RESOURCES["front"] if each["kind"] == "RayService"]
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    named = set(within(config, "env"))
    (given,) = {each["name"] for each in within(service, "secretRef")}
    assert named
    assert named == made_secrets()[given]


@everywhere
def test_labels_that_are_selected_exist(resources: list[Resource]) -> None:
    """Each selector means pods that are there, or those of others that are known."""
    selectors = [
        each["matchLabels"]
        for kind in ("selector", "podSelector", "labelSelector")
        for each in within(resources, kind)
        if "matchLabels" in each
    ]
    selectors += [
        each["spec"]["selector"] for each in resources if each["kind"] == "Service"
    ]  # a service has no matchLabels
    unmet = [each for each in selectors if not selected(resources, each)]
    assert {label for each in unmet for label in each.items()} == ELSEWHERE
    assert len(unmet) < len(selectors)


@everywhere
def test_ports_that_are_named_are_there(resources: list[Resource]) -> None:
    """On the pods that are meant: services, policies, probes and the monitor name none that is not."""
    for resource in resources:
        spec = resource.get("spec", {})
        if resource["kind"] == "Service":
            targets = {each["targetPort"] for each in spec["ports"]}
            meant = selected(resources, spec["selector"])
        elif resource["kind"] == "NetworkPolicy":
            targets = {port["port"] for rule in spec["ingress"] for port in rule.get("ports", ())}
            meant = selected(resources, spec["podSelector"]["matchLabels"])
        elif resource["kind"] == "PodMonitor":
            targets = {each["port"] for each in spec["podMetricsEndpoints"]}
            meant = selected(resources, spec["selector"]["matchLabels"])
            assert all(targets <= named_ports(pod).keys() for pod in meant.values())
        else:
            continue
        assert meant
        assert targets <= {name for pod in meant.values() for name in named_ports(pod)}
    for container in containers(resources):
        own = {port["name"] for port in container["ports"]}
        assert {probe["port"] for probe in within(container, "tcpSocket")} <= own


def test_ports_have_the_numbers_that_ray_gives_them() -> None:
    """Serve listens where the service of the front says, Redis where the head looks for it."""
    from ray.serve.config import HTTPOptions

    front = RESOURCES["front"]
    (service,) = [each for each in front if each["kind"] == "RayService"]
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    ports = {name: named_ports(pod) for name, pod in pods(front).items()}
    for group in ("head", "partitions"):
        assert ports[group]["serve"] == config["http_options"]["port"] == HTTPOptions().port
        assert ports[group]["metrics"] == 8080  # what the operator has Ray export at
    (redis,) = [each for each in front if each["kind"] == "Service"]
    address = service["spec"]["rayClusterConfig"]["gcsFaultToleranceOptions"]["redisAddress"]
    (port,) = redis["spec"]["ports"]
    assert address == f"{redis['metadata']['name']}:{port['port']}"
    assert ports[redis["metadata"]["name"]][port["targetPort"]] == port["port"]
    (stateful,) = [each for each in front if each["kind"] == "StatefulSet"]
    assert stateful["spec"]["serviceName"] == redis["metadata"]["name"]


@everywhere
def test_what_is_mounted_is_there(resources: list[Resource]) -> None:
    """The settings that the job and the runbook name are mounted where they say, in each pod of Ray."""
    (config_map,) = [each for each in resources if each["kind"] == "ConfigMap"]
    (claims,) = within(resources, "volumeClaimTemplates")
    for name, pod in pods(resources).items():
        volumes = {each["name"] for each in pod["spec"].get("volumes", ())}
        volumes |= {each["metadata"]["name"] for each in claims}
        mounts = {mount["name"]: mount["mountPath"] for mount in next(iter(within(pod, "volumeMounts")))}
        assert mounts.keys() <= volumes
        if "-redis" not in name:
            (volume,) = pod["spec"]["volumes"]
            assert volume["configMap"]["name"] == config_map["metadata"]["name"]
            (file,) = config_map["data"]
            named = {word for line in shell_lines() for word in line.split() if word.startswith("/etc/")}
            assert named == {f"{mounts[volume['name']]}/{file}"}
    for job in [each for each in resources if each["kind"] == "RayJob"]:
        assert named <= set(job["spec"]["entrypoint"].split())


@everywhere
def test_ray_runs_in_our_image(resources: list[Resource]) -> None:
    """That which the Dockerfile's first lines and the runbook build, of this version."""
    ours = {each["image"] for each in containers(resources) if each["name"].startswith("ray-")}
    (image,) = ours
    built = {
        word
        for line in (*shell_lines(), *DOCKERFILE.read_text().splitlines())
        for word in re.split(r"[ ,]+", line)
        if "/ray-router:" in word
    }
    assert built == {image}
    assert image.rpartition(":")[2] == ray_router.__version__


def test_ray_is_of_one_version() -> None:
    """In the image, in what the operator is told, and on the launcher's machines."""
    (argument,) = re.findall(r"^ARG RAY_VERSION=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    told = {str(each) for resources in RESOURCES.values() for each in within(resources, "rayVersion")}
    text = "".join(path.read_text() for path in LAUNCHER.iterdir())
    launched = set(re.findall(r"ray\[default,serve\]==([\d.]+)", text))
    assert told == launched == {argument}


def test_everything_is_in_the_namespace() -> None:
    """The one that is made, and that the runbook means."""
    for resources in RESOURCES.values():
        (made,) = [each["metadata"]["name"] for each in resources if each["kind"] == "Namespace"]
        others = [each for each in resources if each["kind"] != "Namespace"]
        assert {each["metadata"]["namespace"] for each in others} == {made}
        named = {line.split("-n ")[1].split()[0] for line in shell_lines() if "kubectl -n ray" in line}
        assert named == {made}
        assert f"ON={made}  # the namespace" in shell_lines()


def test_the_budget_leaves_one_worker_to_go() -> None:
    """No more and no fewer of those that are always there."""
    (budget,) = [each for each in RESOURCES["router"] if each["kind"] == "PodDisruptionBudget"]
    (workers,) = next(iter(within(RESOURCES["router"], "workerGroupSpecs")))
    assert budget["spec"]["minAvailable"] == workers["minReplicas"] - 1
    assert workers["replicas"] == workers["minReplicas"]


def test_variables_are_settings_of_ray() -> None:
    """Ray has each setting by this name: a misspelt one would be taken for nothing, without a word."""
    import ray
    from ray._private import ray_constants  # of what is written in Python

    manifests = {each["name"] for variables in within(RESOURCES["router"], "env") for each in variables}
    text = "".join(path.read_text() for path in LAUNCHER.iterdir())
    launched = set(re.findall(r"RAY_[a-z_]+(?==)", text))
    names = {name for name in manifests | launched if name.startswith("RAY_")}
    assert launched < manifests
    binary = Path(ray.__file__).parent / "core" / "src" / "ray" / "raylet" / "raylet"
    with binary.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        found = {name for name in names if content.find(name.removeprefix("RAY_").encode()) >= 0}
        assert content.find(b"health_check_is_no_setting_of_ray") < 0
    assert found | {name for name in names if hasattr(ray_constants, name)} == names


def test_seats_have_one_name() -> None:
    """In the router's settings, the cluster's and the launcher's."""
    (seat,) = RouterConfig.from_file(ROUTER / "router.yaml").resources
    (workers,) = next(iter(within(RESOURCES["router"], "workerGroupSpecs")))
    assert seat in workers["resources"]
    assert seat in document(LAUNCHER / "aws.yaml")["available_node_types"]["partitions"]["resources"]
    for name in ("head", "worker"):
        started = document(LAUNCHER / "local.yaml")[f"{name}_start_ray_commands"][-1]
        assert f'"{seat}"' in started


def test_metrics_that_are_scraped_are_exported() -> None:
    """The monitor has something of the router's to scrape."""
    assert RouterConfig.from_file(ROUTER / "router.yaml").ray_metrics


def test_every_manifest_says_why() -> None:
    """Each begins with the reason that it is there."""
    for path in [*KUBERAY.rglob("*.yaml"), *LAUNCHER.iterdir()]:
        assert path.read_text().startswith("# "), path
