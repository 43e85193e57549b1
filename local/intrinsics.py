"""CloudFormation's YAML tags and the intrinsic functions a SAM template of this kind uses.

Values of the pseudo parameters and of resources are made up but stable; what cannot be known stays readable, such as
`arn:aws:kms:us-east-1:000000000000:CredentialsKey`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

ACCOUNT = "000000000000"
STACK = "local"
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
NO_VALUE = object()


class TemplateError(Exception):
    """The template has something the laptop runtime cannot read; the message names it. For the operator."""


class _Loader(yaml.SafeLoader):
    """SafeLoader that turns `!Sub x` into `{"Fn::Sub": x}`."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


_Loader.add_multi_constructor("!", _tag)


def parse(text: str) -> dict[str, Any]:
    """Parse a template's text. Raises TemplateError."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise TemplateError(f"not valid YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError("no Resources in it")
    return document


class Resolver:
    """Evaluates intrinsic functions of one template: parameters by their defaults, resources by made-up names."""

    def __init__(self, document: dict[str, Any], region: str) -> None:
        self._document = document
        self._pseudo = {
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": STACK,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": NO_VALUE,
        }
        self._region = region

    def value(self, node: Any) -> Any:
        """Return the node with every intrinsic function evaluated; AWS::NoValue members are left out."""
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._function(name, argument)
        pairs = ((key, self.value(item)) for key, item in node.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}

    def _function(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._substitute,
            "Fn::If": self._choose,
            "Fn::Join": lambda pair: str(pair[0]).join(str(part) for part in self.value(pair[1])),
            "Fn::Select": lambda pair: self.value(pair[1])[int(self.value(pair[0]))],
            "Fn::Split": lambda pair: str(self.value(pair[1])).split(pair[0]),
            "Fn::FindInMap": self._find,
        }
        if name not in functions:
            raise TemplateError(f"{name} is not supported by the laptop runtime")
        return functions[name](argument)

    def condition(self, name: str) -> bool:
        """Evaluate a named condition."""
        conditions = self._document.get("Conditions", {})
        if name not in conditions:
            raise TemplateError(f"unknown condition {name}")
        return self._truth(conditions[name])

    def _truth(self, node: Any) -> bool:
        name, argument = next(iter(node.items()))
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            left, right = (self.value(side) for side in argument)
            return str(left) == str(right)
        if name == "Fn::Not":
            return not self._truth(argument[0])
        if name in ("Fn::And", "Fn::Or"):
            return (all if name == "Fn::And" else any)(self._truth(part) for part in argument)
        raise TemplateError(f"unknown condition function {name}")

    def _choose(self, argument: list[Any]) -> Any:
        return self.value(argument[1] if self.condition(argument[0]) else argument[2])

    def _find(self, argument: list[Any]) -> Any:
        name, first, second = (self.value(part) for part in argument)
        return self._document["Mappings"][name][first][second]

    def _substitute(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in own:
                return str(self.value(own[name]))
            return str(self._attribute(name.split(".", 1)) if "." in name else self._ref(name))

        return _VARIABLE.sub(replace, text)

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        parameters = self._document.get("Parameters", {})
        if name in parameters:
            return parameters[name].get("Default", "")
        logical, _, suffix = name.partition(".")
        if suffix in ("Alias", "Version"):
            return f"{self.arn(logical)}:{self.property(logical, 'AutoPublishAlias') or 'live'}"
        resource = self._resource(logical)
        if resource["Type"].startswith(("AWS::SecretsManager", "AWS::SNS")):
            return self.arn(logical)
        return self.name(logical)

    def _attribute(self, argument: list[Any]) -> Any:
        logical, attribute = argument
        if attribute in ("Arn", "TableArn", "QueueArn", "Alias"):
            return self._ref(f"{logical}.Alias") if attribute == "Alias" else self.arn(logical)
        return f"{self.name(logical)}.{attribute}"

    def name(self, logical: str) -> str:
        """Return the physical name of a resource: the one it is given, else one made of the stack's and its own."""
        properties = ("FunctionName", "TableName", "QueueName", "LogGroupName", "BucketName")
        given = next((value for value in (self.property(logical, key) for key in properties) if value), None)
        return str(given or (logical if self._is_api(logical) else f"{STACK}-{logical}"))

    def arn(self, logical: str) -> str:
        """Return an ARN for a resource, in AWS's form for those that are addressed by it."""
        kind = self._resource(logical)["Type"].split("::")
        service = {"Serverless": "lambda", "SecretsManager": "secretsmanager"}.get(kind[1], kind[1].lower())
        prefix = {"Function": "function:", "Table": "table/", "Secret": "secret:", "Key": "key/"}.get(kind[2], "")
        return f"arn:aws:{service}:{self._region}:{ACCOUNT}:{prefix}{self.name(logical)}"

    def property(self, logical: str, key: str) -> Any:
        """Return one evaluated property of a resource, Globals included; None where it is not set."""
        resource = self._resource(logical)
        node = resource.get("Properties", {}).get(key)
        if node is None and resource["Type"] == "AWS::Serverless::Function":
            node = self._document.get("Globals", {}).get("Function", {}).get(key)
        value = self.value(node)
        return None if value is NO_VALUE else value

    def _is_api(self, logical: str) -> bool:
        return str(self._resource(logical)["Type"]).endswith("Api")

    def _resource(self, logical: str) -> dict[str, Any]:
        resource = self._document["Resources"].get(logical)
        if resource is None:
            raise TemplateError(f"unknown resource or parameter {logical}")
        return dict(resource)
