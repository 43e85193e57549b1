"""What was built runs as on Lambda: its own packages and no others, forked or under AWS's own client."""

import json
import shutil

import pytest
import snapshot_restore_py

from local.testing import running_stack
from tests.integration.local.conftest import SAMPLE, client

PLACES = {"layer/": "Layer", "functions/echo/": "EchoFunction", "functions/slow/": "WorkerFunction"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sample application as `sam build` lays it out."""
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(SAMPLE / "layer", folder / "Layer")
    shutil.copy(snapshot_restore_py.__file__, folder / "Layer" / "python")
    shutil.copytree(SAMPLE / "functions" / "echo", folder / "EchoFunction" / "functions" / "echo")
    shutil.copytree(SAMPLE / "functions" / "slow", folder / "WorkerFunction" / "functions" / "slow")
    template = (SAMPLE / "template.yaml").read_text()
    for source, built in PLACES.items():
        template = template.replace(f"Uri: {source}", f"Uri: {built}")
    (folder / "template.yaml").write_text(template)
    return folder


@pytest.mark.parametrize("runtime", ["fork", "spawn", "awslambdaric"])
def test_only_what_was_built_can_be_imported(built, runtime):
    with running_stack(arguments=["--artifacts", str(built), "--runtime", runtime]) as stack:
        functions = client(stack, "lambda")

        def invoke(event):
            answer = functions.invoke(FunctionName="local-worker:live", Payload=json.dumps(event))
            return json.loads(answer["Payload"].read())

        assert invoke({})["seen"] == 1
        assert "errorType" not in invoke({"do": "import", "module": "sample"})
        for module in ("boto3", "aiohttp", "local.stack", "tests", "functions.echo.app"):
            assert invoke({"do": "import", "module": module})["errorType"] == "ModuleNotFoundError", module
