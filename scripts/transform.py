"""Prints what CloudFormation is given after the SAM transform of template.yaml, as JSON. Needs neither network nor AWS.

    .venv-sam/bin/python scripts/transform.py [--layers TAG] [--code TAG]

Linting the source is not enough: much of what is deployed appears only in the transform. A tag stands for the content
of what is uploaded, as the hash in an S3 key does: another tag is another layer, or other code.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"


class PartitionPolicies(ManagedPolicyLoader):  # type: ignore[misc]
    """AWS's managed policies by name, without asking IAM for the list. SAM attaches two by itself, by ARN."""

    def __init__(self) -> None:
        super().__init__(iam_client=None)

    def load(self) -> dict[str, str]:
        """No names: the template states its permissions and names no managed policy."""
        return {}


def uploaded(template: dict[str, Any], layer_tag: str, code_tag: str) -> dict[str, Any]:
    """Puts the addresses of an upload where the template has local folders, as `sam package` does."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if "ContentUri" in properties:
            properties["ContentUri"] = f"s3://uploads/{name}-{layer_tag}"
        if "CodeUri" in properties:
            properties["CodeUri"] = f"s3://uploads/{name}-{code_tag}"
        if "TemplateURL" in properties:
            properties["TemplateURL"] = f"https://s3.amazonaws.com/uploads/{name}"
    return template


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", default="1", help="stands for what the layers contain")
    parser.add_argument("--code", default="1", help="stands for what the functions contain")
    options = parser.parse_args()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # it writes `aws` partitions, whichever region this is
    template = uploaded(yaml_parse(TEMPLATE.read_text("utf-8")), options.layers, options.code)
    json.dump(transform(template, {}, PartitionPolicies()), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
