"""Custom resources against the definitions that the operator installs.

A definition's schema lets through what it does not know, because the API server drops that without a word
unless asked to be strict. Here it is refused.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import yaml

from .files import SCHEMAS

KUBERAY = SCHEMAS / "kuberay"

# What a definition leaves open: these are Kubernetes' own, and checked as such.
_OPEN = ("x-kubernetes-preserve-unknown-fields", "additionalProperties", "x-kubernetes-embedded-resource")


@cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    """The strict schema of one of Ray's kinds, in the version that is stored."""
    text = (KUBERAY / f"ray.io_{kind.lower()}s.yaml").read_text(encoding="utf-8")
    in_c = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a megabyte: Python's own takes ten seconds
    definition = yaml.load(text, in_c)
    assert definition["spec"]["names"]["kind"] == kind
    (stored,) = [each for each in definition["spec"]["versions"] if each["storage"]]
    strict: dict[str, Any] = _strict(stored["schema"]["openAPIV3Schema"])
    strict["properties"]["apiVersion"]["const"] = f"{definition['spec']['group']}/{stored['name']}"
    strict["properties"]["kind"]["const"] = kind
    return jsonschema.Draft202012Validator(strict)


def problems(resource: dict[str, Any]) -> list[str]:
    """What is wrong with a resource, each with its place."""
    found = validator(resource["kind"]).iter_errors(resource)
    return [f"{error.json_path}: {error.message}" for error in found]


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    strict = {name: _strict(value) for name, value in node.items()}
    properties = node.get("properties")
    if node.get("type") == "object" and isinstance(properties, dict) and not any(map(node.get, _OPEN)):
        strict["additionalProperties"] = False
    return strict
