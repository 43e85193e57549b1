"""console.yaml: what is public, what is cached, and which address leads where."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.console import Addresses, Answer
from tests.template import ROOT, Template, read

STACK: Template = read("console.yaml")
RESOURCES: dict[str, Any] = STACK["Resources"]
CONFIG = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
BEHAVIORS = {one["PathPattern"]: one for one in CONFIG["CacheBehaviors"]}
PRODUCT: Template = read()
ADDRESSES = json.loads((ROOT / "tests/golden/console_addresses.json").read_text("utf-8"))
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def ask(function: str, path: str, languages: str = "", cookie: str = "") -> dict[str, Any]:
    """What a function of the edge makes of a request, run by Node."""
    node = shutil.which("node")
    assert node, "Node.js runs the functions of the edge"
    uri, _, search = path.partition("?")
    query = {name: {"value": value} for name, value in _pairs(search)}
    headers = {"accept-language": {"value": languages}} if languages else {}
    cookies = {"NEXT_LOCALE": {"value": cookie}} if cookie else {}
    request = {"method": "GET", "uri": uri, "querystring": query, "headers": headers, "cookies": cookies}
    code = RESOURCES[function]["Properties"]["FunctionCode"]
    script = f"{code}\nconsole.log(JSON.stringify(handler({{ request: {json.dumps(request)} }})))"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True, timeout=60)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values as they were written: the edge hands them over encoded."""
    return [(name, value) for part in query.split("&") if part for name, _, value in [part.partition("=")]]


def name(case: dict[str, Any]) -> str:
    return " ".join(str(part) for part in case.values())


@pytest.mark.parametrize("case", ADDRESSES, ids=name)
def test_address_leads_to_its_page_at_the_edge(case: dict[str, Any]) -> None:
    query = f"?{case['query']}" if "query" in case else ""
    answer = ask("Pages", case["path"] + query, case.get("languages", ""), case.get("cookie", ""))
    if case["status"] == 200:
        assert answer["uri"] == (case["target"] or case["path"])
        return
    assert answer["statusCode"] == case["status"]
    if case["status"] == 404:
        assert case["target"].removesuffix("index.html") in answer["body"]
    else:
        assert answer["headers"]["location"]["value"] == case["target"]


@pytest.mark.parametrize("case", ADDRESSES, ids=name)
def test_address_leads_to_the_same_page_on_the_laptop(case: dict[str, Any], tmp_path: Path) -> None:
    for page in pages():
        folder = tmp_path / "en" / page
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").touch()
    found = Addresses(tmp_path).find(
        case["path"], case.get("query", ""), case.get("languages", ""), case.get("cookie", "")
    )
    expected = Answer(case["status"], case["target"]) if case["target"] else None
    assert found == expected


def pages() -> list[str]:
    """The console's pages, as its sources have them."""
    app = ROOT / "web" / "console" / "app" / "[locale]"
    return sorted(file.parent.relative_to(app).as_posix() for file in app.glob("*/**/page.tsx"))


def test_the_edge_knows_every_page() -> None:
    [known] = re.findall(r"PAGES = \[(.*?)\]", RESOURCES["Pages"]["Properties"]["FunctionCode"], re.DOTALL)
    assert re.findall(r"'([^']+)'", known) == pages()


def test_websocket_of_an_agent_is_the_stage_with_its_id() -> None:
    answer = ask("Playground", "/api/v1/playground/agt_1?ticket=t%2F1")
    stage = PRODUCT["Resources"]["PlaygroundApi"]["Properties"]["StageName"]
    assert answer["uri"] == f"/{stage}"
    assert answer["querystring"] == {"ticket": {"value": "t%2F1"}, "agent_id": {"value": "agt_1"}}


def test_agent_of_the_path_wins_over_one_of_the_query() -> None:
    answer = ask("Playground", "/api/v1/playground/agt_1?agent_id=agt_2")
    assert answer["querystring"] == {"agent_id": {"value": "agt_1"}}


def test_paths_are_those_of_the_apis() -> None:
    public = PRODUCT["Resources"]["PlaygroundApi"]["Metadata"]["PublicPath"]
    assert list(BEHAVIORS) == [public.replace("{agent_id}", "*"), "/api/*"]  # the first that fits is taken


@pytest.mark.parametrize("path", BEHAVIORS)
def test_nothing_of_the_apis_is_cached_and_the_host_is_theirs(path: str) -> None:
    behavior = BEHAVIORS[path]
    assert behavior["CachePolicyId"] == CACHING_DISABLED
    assert behavior["OriginRequestPolicyId"] == ALL_BUT_HOST
    assert behavior["ViewerProtocolPolicy"] == "https-only"


def test_rest_takes_every_method_of_the_api() -> None:
    assert {"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"} <= set(BEHAVIORS["/api/*"]["AllowedMethods"])


def test_no_error_of_an_api_is_replaced_by_a_page() -> None:
    assert "CustomErrorResponses" not in CONFIG


def test_nobody_but_this_distribution_reads_the_files() -> None:
    block = RESOURCES["Files"]["Properties"]["PublicAccessBlockConfiguration"]
    assert set(block) == {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert all(value is True for value in block.values())
    for statement in RESOURCES["FilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Deny":
            continue
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert "AWS:SourceArn" in statement["Condition"]["StringEquals"]
        assert statement["Action"] in ("s3:GetObject", "s3:ListBucket")


def test_pages_are_framed_by_nobody_and_served_encrypted() -> None:
    headers = RESOURCES["Headers"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert CONFIG["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_names_are_passed_on() -> None:
    given = PRODUCT["Resources"]["ConsoleFiles"]["Properties"]["Parameters"]
    assert set(given) == set(STACK["Parameters"])
    used = {value["Fn::GetAtt"][1].split(".")[-1] for value in _console_outputs()}
    assert used == set(STACK["Outputs"])


def _console_outputs() -> list[dict[str, Any]]:
    values = [output["Value"] for output in PRODUCT["Outputs"].values()]
    return [one for one in values if "Fn::GetAtt" in one and one["Fn::GetAtt"][0] == "ConsoleFiles"]


def test_people_come_back_to_the_pages_that_wait_for_them() -> None:
    client = PRODUCT["Resources"]["UserPoolClient"]["Properties"]
    condition, urls, _ = client["CallbackURLs"]["Fn::If"]
    assert condition == "KnowsConsole"
    assert [one["Fn::Sub"] for one in urls] == [f"${{ConsoleUrl}}/{locale}/signed-in/" for locale in ("en", "de")]
    assert client["AllowedOAuthFlows"]["Fn::If"][1] == ["code"]
