"""Reading template.yaml, as it is written and as it is after the SAM transform."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]

Template = dict[str, Any]


class Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions (`!Ref x`) as their long ones (`{"Ref": x}`)."""


def _function(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _function)


def transform(*arguments: str) -> Template:
    command = [str(ROOT / ".venv-sam" / "bin" / "python"), "scripts/transform.py", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not result.returncode, f"the transform failed (`make .venv-sam/ready.stamp` sets it up):\n{result.stderr}"
    document: Template = json.loads(result.stdout)
    return document


def read(name: str = "template.yaml") -> Template:
    """A template as it is written."""
    document: Template = yaml.load((ROOT / name).read_text("utf-8"), Loader)
    return document


def of_type(template: Template, kind: str) -> dict[str, Template]:
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template: Template) -> dict[str, Template]:
    return of_type(template, "AWS::Lambda::Function")


def statements(template: Template) -> Iterator[tuple[str, Template]]:
    """Role and statement, for every statement of every role."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(template: Template, role: str) -> set[str]:
    return {action for name, s in statements(template) if name == role for action in listed(s["Action"])}
