"""Finishes a deployment: tells the stack where its console is, and puts the console's files there.

    .venv/bin/python scripts/deploy.py [--stack agent-builder] [--files web/console/out]

`make deploy` calls it after `sam deploy`. The console's address is known only when the stack exists, and people who
sign in are sent back to it: the first time the stack is updated once more, by that parameter alone.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]
from botocore.exceptions import ClientError, NoCredentialsError

ROOT = Path(__file__).resolve().parent.parent
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
LASTING = "public, max-age=31536000, immutable"
FRESH = "no-cache"
_TYPES = {".js": "text/javascript", ".txt": "text/plain", ".json": "application/json", ".woff2": "font/woff2"}


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """What a stack tells of itself, by name."""
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def parameters_with(stack: Mapping[str, Any], **changed: str) -> list[dict[str, Any]]:
    """The parameters of a stack for an update that changes only some of them."""
    names = [one["ParameterKey"] for one in stack["Parameters"]]
    return [
        {"ParameterKey": name, "ParameterValue": changed[name]}
        if name in changed
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in names
    ]


def tell_address(cloudformation: Any, stack: Mapping[str, Any], url: str) -> bool:
    """Make `ConsoleUrl` what it is and wait for the update; false when the stack knew it already."""
    known = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    if known.get("ConsoleUrl") == url:
        return False
    cloudformation.update_stack(
        StackName=stack["StackName"],
        UsePreviousTemplate=True,
        Capabilities=CAPABILITIES,
        Parameters=parameters_with(stack, ConsoleUrl=url),
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack["StackName"])
    return True


def origins_of(issuer: str, discovery: Mapping[str, Any]) -> list[str]:
    """The origins that pages speak to when people sign in."""
    urls = [
        issuer,
        *(discovery[name] for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint") if name in discovery),
    ]
    return sorted({f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, urls)})


def discover(issuer: str) -> dict[str, Any]:
    """The issuer's own description (OpenID Connect Discovery 1.0)."""
    with urllib.request.urlopen(f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=20) as answer:  # noqa: S310 - https, by the template
        found: dict[str, Any] = json.load(answer)
    return found


def config_of(outputs: Mapping[str, str]) -> bytes:
    """What the console must know of the stack: `config.json`."""
    config = {
        "issuer": outputs["Issuer"],
        "client_id": outputs["ConsoleClientId"],
        "audience": outputs["Audience"],
        "scope": "openid email profile",
    }
    return json.dumps(config).encode()


def objects(folder: Path, origins: list[str]) -> Iterator[tuple[str, bytes, str, str]]:
    """Key, content, type and cache of each file; what pages need comes before the pages, so that none is half there."""
    # The compressed copies are the laptop's: CloudFront compresses by itself.
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz")
    for path in sorted(files, key=lambda path: (path.suffix == ".html", path)):
        key = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        if path.suffix == ".html":
            content = content.replace(b"connect-src 'self'", f"connect-src 'self' {' '.join(origins)}".encode())
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        yield key, content, kind, LASTING if key.startswith("_next/static/") else FRESH


def upload(s3: Any, bucket: str, folder: Path, outputs: Mapping[str, str], origins: list[str]) -> int:
    """Put the files there and remove the pages that are gone; returns how many there are.

    Hashed files of earlier builds stay for pages that are still open; the bucket keeps what is replaced for 30 days.
    """
    kept = {"config.json"}
    put = {"Bucket": bucket, "ServerSideEncryption": "AES256"}
    for key, content, kind, cache in objects(folder, origins):
        s3.put_object(Key=key, Body=content, ContentType=kind, CacheControl=cache, **put)
        kept.add(key)
    s3.put_object(Key="config.json", Body=config_of(outputs), ContentType="application/json", CacheControl=FRESH, **put)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", ()):
            if one["Key"] not in kept and not one["Key"].startswith("_next/static/"):
                s3.delete_object(Bucket=bucket, Key=one["Key"])
    return len(kept)


def main() -> int:
    """Finish the deployment of one stack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="agent-builder", help="name of the stack")
    parser.add_argument("--files", type=Path, default=ROOT / "web" / "console" / "out", help="the built console")
    options = parser.parse_args()
    try:
        return finish(options.stack, options.files)
    except (ClientError, NoCredentialsError) as error:
        print(f"The console was not put online: {error}", file=sys.stderr)
        return 1


def finish(name: str, folder: Path) -> int:
    """Finish the deployment of a stack with the files of a folder."""
    cloudformation = boto3.client("cloudformation")
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = outputs_of(stack)
    if "ConsoleUrl" not in outputs:
        print("The stack has no console (Console=false).")
        return 0
    if not (folder / "en" / "agents" / "index.html").is_file():
        print(f"There is no built console in {folder}; `make console` builds it.", file=sys.stderr)
        return 1
    if tell_address(cloudformation, stack, outputs["ConsoleUrl"]):
        print("People who sign in are sent back to the console now.")
    origins = origins_of(outputs["Issuer"], discover(outputs["Issuer"]))
    count = upload(boto3.client("s3"), outputs["ConsoleBucket"], folder, outputs, origins)
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
    boto3.client("cloudfront").create_invalidation(
        DistributionId=outputs["ConsoleDistribution"], InvalidationBatch=batch
    )
    print(f"{count} files are online. The console: {outputs['ConsoleUrl']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
