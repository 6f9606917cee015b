"""What ``kubectl apply -k`` applies, as far as our kustomizations go; ``kubectl`` is asked to agree."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from .files import document, documents

Resource = dict[str, Any]

_KNOWN = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "patches",
    "replacements",
    "configMapGenerator",
    "generatorOptions",
    "images",
}
_LOCAL = "config.kubernetes.io/local-config"


def rendered(folder: Path) -> list[Resource]:
    """The resources of a kustomization's folder."""
    return [each for each in _resources(folder) if _LOCAL not in each["metadata"].get("annotations", {})]


def merged(target: Any, patch: Any) -> Any:
    """A patch of RFC 7386: what kustomize does to kinds that it does not know, such as Ray's."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _resources(folder: Path) -> list[Resource]:
    settings = document(folder / "kustomization.yaml")
    if unknown := settings.keys() - _KNOWN:
        raise NotImplementedError(f"{folder}: {sorted(unknown)}")
    found: list[Resource] = []
    for name in settings["resources"]:
        path = folder / name
        found += _resources(path) if path.is_dir() else documents(path)
    found += [_config_map(folder, each) for each in settings.get("configMapGenerator", ())]
    for each in settings.get("patches", ()):
        patch = document(folder / each["path"]) if "path" in each else yaml.safe_load(each["patch"])
        found = list(_patched(found, patch))
    if (namespace := settings.get("namespace")) is not None:
        for resource in found:
            if resource["kind"] != "Namespace":
                resource["metadata"]["namespace"] = namespace
    for image in settings.get("images", ()):
        for container in _containers(found):
            if container["image"].partition(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    for each in settings.get("replacements", ()):
        _replace(found, each)
    return found


def _config_map(folder: Path, settings: Resource) -> Resource:
    data = {name: (folder / name).read_text(encoding="utf-8") for name in settings["files"]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": settings["name"]},
        "data": data,
    }


def _is(resource: Resource, kind: str, name: str) -> bool:
    return bool(resource["kind"] == kind and resource["metadata"]["name"] == name)


def _patched(resources: list[Resource], patch: Resource) -> Iterator[Resource]:
    patch = dict(patch)
    deleting = patch.pop("$patch", None) == "delete"
    matched = [each for each in resources if _is(each, patch["kind"], patch["metadata"]["name"])]
    if len(matched) != 1:
        raise ValueError(f"a patch of {patch['kind']} {patch['metadata']['name']} meets {len(matched)}")
    for each in resources:
        if each is not matched[0]:
            yield each
        elif not deleting:
            yield merged(each, patch)


def _containers(node: Any) -> Iterator[Resource]:
    if isinstance(node, dict):
        yield from node.get("containers", ())
        for value in node.values():
            yield from _containers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _containers(value)


def _replace(resources: list[Resource], settings: Resource) -> None:
    source = settings["source"]
    (found,) = [each for each in resources if _is(each, source["kind"], source["name"])]
    for target in settings["targets"]:
        wanted = target["select"]
        (resource,) = [each for each in resources if _is(each, wanted["kind"], wanted["name"])]
        for path in target["fieldPaths"]:
            *parents, last = path.split(".")
            place = resource
            for name in parents:
                place = place[name]
            place[last] = deepcopy(found[source["fieldPath"]])
