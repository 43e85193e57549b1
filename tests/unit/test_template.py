"""The stack as it is deployed, template.yaml after the SAM transform: against the rules of the house and the code."""

from __future__ import annotations

import ast
import json
import re
from typing import Any, get_args

import pytest

from agent_builder.config import AuthorizerSettings, Settings
from agent_builder.models.places import Place, Purpose
from agent_builder.repositories import table
from functions.api import access
from local.guard import cors_headers
from scripts import build
from tests.template import ROOT, Template, actions, functions, listed, of_type, read, statements, transform


@pytest.fixture(scope="session")
def source() -> Template:
    return read()


@pytest.fixture(scope="session")
def deployed() -> Template:
    return transform()


# ---------------------------------------------------------------- what runs where


def test_functions_run_on_the_python_that_is_built_for(deployed: Template) -> None:
    for function in functions(deployed).values():
        assert function["Runtime"] == "python{}.{}".format(*build.PYTHON_VERSION)
        assert function["Architectures"] == ["arm64"]


def test_build_script_takes_each_resource_from_where_the_template_says(source: Template) -> None:
    for name, properties in of_type(source, "AWS::Serverless::Function").items():
        metadata = source["Resources"][name]["Metadata"]
        parent = metadata["BuildProperties"]["ParentPackages"]
        folder = build.function_source(name).relative_to(ROOT)
        assert folder.as_posix() == properties["CodeUri"].rstrip("/")
        assert folder.as_posix() == parent.replace(".", "/")
        assert properties["Handler"] == f"{parent}.app.lambda_handler"
    layers = of_type(source, "AWS::Serverless::LayerVersion")
    assert {name: layer["ContentUri"] for name, layer in layers.items()} == {
        "DependenciesLayer": "layers/dependencies/",
        "SharedLayer": "shared/",
    }


def test_everything_is_built_by_the_one_script(source: Template) -> None:
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion"):
        for name in of_type(source, kind):
            metadata = source["Resources"][name]["Metadata"]
            assert (metadata["BuildMethod"], metadata["ContextPath"]) == ("makefile", "scripts")


def test_every_handler_exists(source: Template) -> None:
    for properties in of_type(source, "AWS::Serverless::Function").values():
        module, _, handler = properties["Handler"].rpartition(".")
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        names |= {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert handler in names, f"{module} has no {handler}"


def test_timeouts_stay_within_the_gateway_s(deployed: Template) -> None:
    timeouts = {name: function["Timeout"] for name, function in functions(deployed).items()}
    # API Gateway waits ten seconds for an authorizer.
    assert timeouts == {"ApiFunction": 29, "AuthorizerFunction": 10, "PlaygroundFunction": 29, "RunnerFunction": 900}
    integrations = of_type(deployed, "AWS::ApiGatewayV2::Integration").values()
    assert {integration["TimeoutInMillis"] for integration in integrations} == {29000}


def test_runner_may_ring_itself(deployed: Template) -> None:
    assert functions(deployed)["RunnerFunction"]["RecursiveLoop"] == "Allow"


# ---------------------------------------------------------------- versions and aliases


def test_every_function_publishes_the_live_alias(deployed: Template) -> None:
    for name in functions(deployed):
        alias = deployed["Resources"][f"{name}Aliaslive"]["Properties"]
        assert (alias["Name"], alias["FunctionName"]) == ("live", {"Ref": name})


@pytest.mark.parametrize("changed", ["--layers", "--code"])
def test_what_changes_is_published_as_a_new_version(deployed: Template, changed: str) -> None:
    before = set(of_type(deployed, "AWS::Lambda::Version"))
    after = set(of_type(transform(changed, "2"), "AWS::Lambda::Version"))
    assert len(before) == len(after) == len(functions(deployed))
    assert not before & after


def test_nothing_reaches_an_unpublished_version(deployed: Template) -> None:
    """A bare reference to a function is $LATEST; only what belongs to the function itself may use one."""
    owners = {"AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::Lambda::EventInvokeConfig"}
    for name, resource in deployed["Resources"].items():
        if resource["Type"] not in owners:
            text = json.dumps(resource)
            for function in functions(deployed):
                assert f'{{"Ref": "{function}"}}' not in text, f"{name} refers to $LATEST of {function}"
                assert f'"{function}", "Arn"' not in text, f"{name} refers to $LATEST of {function}"
                assert f"${{{function}.Arn}}" not in text, f"{name} refers to $LATEST of {function}"


def test_routes_and_schedule_target_the_alias(deployed: Template) -> None:
    integrations = of_type(deployed, "AWS::ApiGatewayV2::Integration").values()
    assert all(
        integration["IntegrationUri"]["Fn::Sub"][1]["FunctionArn"] == {"Ref": "PlaygroundFunctionAliaslive"}
        for integration in integrations
    )
    for method in rest_routes(deployed).values():
        assert "${ApiFunctionAliaslive}" in method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    [rule] = of_type(deployed, "AWS::Events::Rule").values()
    assert [target["Arn"] for target in rule["Targets"]] == [{"Ref": "RunnerFunctionAliaslive"}]


def test_asynchronous_calls_are_retried_on_the_alias(deployed: Template) -> None:
    [config] = of_type(deployed, "AWS::Lambda::EventInvokeConfig").values()
    assert config["Qualifier"] == "live"
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 300)
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["RunnerFailures", "Arn"]}


# ---------------------------------------------------------------- routes


OPEN = {"/api/v1/health", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/oauth/callback"}
ANY = "x-amazon-apigateway-any-method"


def rest_routes(deployed: Template) -> dict[tuple[str, str], Template]:
    """Path and method to what is deployed there."""
    paths = deployed["Resources"]["HttpApi"]["Properties"]["Body"]["paths"]
    return {(path, method): value for path, methods in paths.items() for method, value in methods.items()}


def test_routes(deployed: Template) -> None:
    methods = {"get", "head", "post", "put", "patch", "delete"}
    expected = {("/api/v1/{proxy+}", method) for method in methods} | {(path, ANY) for path in OPEN}
    assert set(rest_routes(deployed)) == expected
    routes = of_type(deployed, "AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes} == {"$connect", "$disconnect", "$default"}


# ---------------------------------------------------------------- who may come in


def test_no_route_is_open_but_four(deployed: Template) -> None:
    open_paths = {path for (path, _), route in rest_routes(deployed).items() if route["security"] != [{"Caller": []}]}
    assert open_paths == OPEN
    for name, route in of_type(deployed, "AWS::ApiGatewayV2::Route").items():
        # API Gateway takes an authorizer at $connect alone: nothing else can be sent without it.
        assert route.get("AuthorizationType") == ("CUSTOM" if route["RouteKey"] == "$connect" else None), name
        if route["RouteKey"] == "$connect":
            assert route["AuthorizerId"]["Ref"] in of_type(deployed, "AWS::ApiGatewayV2::Authorizer")


def test_open_paths_are_those_that_the_code_answers_without_identity() -> None:
    assert {f"GET {path.removeprefix(access.BASE)}" for path in OPEN} == access.OPEN


def test_preflights_reach_no_authorizer(deployed: Template) -> None:
    """A browser's OPTIONS carries no credentials; API Gateway answers it by itself where no guarded route takes it."""
    assert not {key for key in rest_routes(deployed) if key[1] in ("options", ANY) and key[0] not in OPEN}
    cors = deployed["Resources"]["HttpApi"]["Properties"]["Body"]["x-amazon-apigateway-cors"]
    condition, allowed, otherwise = cors["Fn::If"]
    assert (condition, otherwise) == ("HasAllowedOrigins", {"Ref": "AWS::NoValue"})
    assert list(allowed["allowOrigins"]) == ["Fn::Split"]
    assert {method.lower() for method in allowed["allowMethods"]} == {method for _, method in rest_routes(deployed)} - {
        ANY
    }
    assert "authorization" in allowed["allowHeaders"]
    here = cors_headers("https://console.example")  # what the laptop tells a browser
    for name, told in (("allowHeaders", "Allow-Headers"), ("exposeHeaders", "Expose-Headers")):
        assert set(here[f"Access-Control-{told}"].split(", ")) == set(allowed[name])
    assert "*" not in json.dumps(allowed)
    assert "allowCredentials" not in allowed


def test_both_apis_ask_the_published_authorizer_and_remember_nothing(deployed: Template) -> None:
    schemes = deployed["Resources"]["HttpApi"]["Properties"]["Body"]["components"]["securitySchemes"]
    assert set(schemes) == {"Caller"}
    caller = schemes["Caller"]["x-amazon-apigateway-authorizer"]
    assert caller["enableSimpleResponses"] is True
    assert caller["authorizerPayloadFormatVersion"] == "2.0"
    assert caller["authorizerResultTtlInSeconds"] == 0
    assert caller["identitySource"] == ["$request.header.Authorization"]
    [connect] = of_type(deployed, "AWS::ApiGatewayV2::Authorizer").values()
    for uri in (caller["authorizerUri"], connect["AuthorizerUri"]):
        assert {"Ref": "AuthorizerFunctionAliaslive"} in uri["Fn::Sub"][1].values()


@pytest.mark.parametrize("api", ["HttpApi", "PlaygroundApi"])
def test_api_may_invoke_the_authorizer(deployed: Template, api: str) -> None:
    permitted = [
        permission
        for permission in of_type(deployed, "AWS::Lambda::Permission").values()
        if permission["FunctionName"] == {"Ref": "AuthorizerFunctionAliaslive"}
        and {"Ref": api} in permission["SourceArn"]["Fn::Sub"][1].values()
    ]
    assert [permission["Principal"] for permission in permitted] == ["apigateway.amazonaws.com"]


def test_deployment_without_issuer_or_administrator_fails(source: Template) -> None:
    rules = source["Rules"]
    issuer, administrator = (
        {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("OidcIssuer", "AdminEmail")
    )
    assert [rule["Assert"] for rule in rules["SomebodyIsTrusted"]["Assertions"]] == [
        {"Fn::Or": [issuer, administrator]}
    ]
    assert rules["IssuerHasAudience"]["RuleCondition"] == issuer
    [audience] = rules["IssuerHasAudience"]["Assertions"]
    assert audience["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "OidcAudience"}, ""]}]}
    assert {source["Parameters"][name]["Default"] for name in ("OidcIssuer", "OidcAudience", "AdminEmail")} == {""}


def test_people_are_let_into_the_pool_by_an_administrator_only(deployed: Template) -> None:
    pool = deployed["Resources"]["UserPool"]
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert (pool["DeletionPolicy"], pool["UpdateReplacePolicy"]) == ("Retain", "Retain")
    for name in ("UserPool", "UserPoolClient", "FirstAdministrator"):
        assert deployed["Resources"][name]["Condition"] == "MakeUserPool"
    client = deployed["Resources"]["UserPoolClient"]["Properties"]
    assert "ALLOW_USER_PASSWORD_AUTH" not in client["ExplicitAuthFlows"]
    assert client["GenerateSecret"] is False


def test_every_stage_is_throttled(deployed: Template) -> None:
    stages = of_type(deployed, "AWS::ApiGatewayV2::Stage")
    assert len(stages) == 2
    for stage in stages.values():
        assert stage["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
            "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
        }


def test_rescue_is_rung_every_minute(deployed: Template) -> None:
    [rule] = of_type(deployed, "AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [json.loads(target["Input"]) for target in rule["Targets"]] == [{"kind": "rescue"}]


def test_public_path_of_the_playground_names_the_agent(source: Template) -> None:
    assert source["Resources"]["PlaygroundApi"]["Metadata"]["PublicPath"] == "/api/v1/playground/{agent_id}"


def test_connections_are_managed_on_the_stage_that_serves_them(deployed: Template) -> None:
    stage = deployed["Resources"]["PlaygroundApiliveStage"]["Properties"]["StageName"]
    address = f"https://${{PlaygroundApi}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage}"
    for name in ("PlaygroundFunction", "RunnerFunction"):
        variables = functions(deployed)[name]["Environment"]["Variables"]
        assert variables["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] == {"Fn::Sub": address}
    for _, statement in statements(deployed):
        if statement["Action"] == "execute-api:ManageConnections":
            assert all(f"${{PlaygroundApi}}/{stage}/" in resource["Fn::Sub"] for resource in statement["Resource"])


# ---------------------------------------------------------------- permissions


def test_permissions_are_stated_and_name_what_they_are_for(deployed: Template) -> None:
    for role, statement in statements(deployed):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            assert "*" not in action, f"{role} may {action}"
        for resource in listed(statement["Resource"]):
            text = json.dumps(resource)
            wildcards = text.replace("/@connections/*", "").count("*")
            assert not wildcards, f"{role} may {statement['Action']} on {text}"


def test_managed_policies_are_only_those_for_logs_and_traces(deployed: Template) -> None:
    for role in of_type(deployed, "AWS::IAM::Role").values():
        names = {arn.rpartition("/")[2] for arn in role["ManagedPolicyArns"]}
        assert names == {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}


def test_nobody_scans_and_each_function_may_do_only_its_own(deployed: Template) -> None:
    api, playground, runner = (actions(deployed, f"{name}FunctionRole") for name in ("Api", "Playground", "Runner"))
    assert actions(deployed, "AuthorizerFunctionRole") == {"dynamodb:DeleteItem", "dynamodb:GetItem"}
    assert not {action for action in api | playground | runner if "Scan" in action or "PartiQL" in action}
    assert {action for action in api if not action.startswith("dynamodb:")} == {
        "kms:GenerateDataKey",
        "lambda:InvokeFunction",
    }
    assert not playground & {"secretsmanager:GetSecretValue", "sqs:SendMessage"}
    assert "secretsmanager:GetSecretValue" in runner
    assert not {action for action in playground if action.startswith("kms:")}
    assert {action for action in runner if action.startswith("kms:")} == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_descriptions_of_every_permitted_service_are_shipped(deployed: Template) -> None:
    """The build deletes botocore's data of services that no role may call."""
    names = {"execute-api": "apigatewaymanagementapi"}
    permitted = {action.split(":")[0] for _, s in statements(deployed) for action in listed(s["Action"])}
    assert {names.get(service, service) for service in permitted} <= build.AWS_SERVICES


def test_runner_is_invoked_by_its_alias_only(deployed: Template) -> None:
    for _, statement in statements(deployed):
        if statement["Action"] == "lambda:InvokeFunction":
            assert statement["Resource"]["Fn::Sub"].endswith(":function:${AWS::StackName}-runner:live")
    assert functions(deployed)["RunnerFunction"]["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-runner"}


# ---------------------------------------------------------------- settings


def test_functions_are_given_exactly_the_variables_that_settings_read(deployed: Template) -> None:
    given = {name: set(f["Environment"]["Variables"]) for name, f in functions(deployed).items()}
    standard = {f"POWERTOOLS_{name}" for name in ("LOG_LEVEL", "METRICS_NAMESPACE", "SERVICE_NAME")}
    standard.add("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI")
    own = set(Settings.TEMPLATE_VARIABLES)
    authorizer = given.pop("AuthorizerFunction")
    assert authorizer - standard == {*AuthorizerSettings.TEMPLATE_VARIABLES, "RUNNER_FUNCTION"}
    assert set().union(*given.values()) - standard == own
    assert given["RunnerFunction"] - standard == own
    assert given["ApiFunction"] - standard == own - {"PROVIDER_KEYS_SECRET"}
    assert given["PlaygroundFunction"] - standard == own - {"PROVIDER_KEYS_SECRET", "CREDENTIALS_KEYS"}


def test_functions_are_given_the_alias_of_the_runner(deployed: Template) -> None:
    for function in functions(deployed).values():
        variables = function["Environment"]["Variables"]
        assert variables["RUNNER_FUNCTION"] == {"Fn::Sub": "${AWS::StackName}-runner:live"}
        assert variables["TABLE_NAME"] == {"Ref": "Table"}


# ---------------------------------------------------------------- data


def test_table_has_the_keys_and_indexes_of_the_models(deployed: Template) -> None:
    properties = deployed["Resources"]["Table"]["Properties"]
    schema: dict[str, Any] = table.Item._get_schema()
    assert keys(properties["KeySchema"]) == keys(schema["key_schema"])
    indexes = {
        index["IndexName"]: (keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in properties["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        index["index_name"]: (keys(index["key_schema"]), index["projection"]["ProjectionType"])
        for index in schema["global_secondary_indexes"]
    }
    types = {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]}
    assert types == {a["AttributeName"]: a["AttributeType"] for a in schema["attribute_definitions"]}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": table.TTL_ATTRIBUTE, "Enabled": True}


def keys(schema: list[dict[str, str]]) -> dict[str, str]:
    """Kind of key to attribute; the order in which they are listed means nothing."""
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def test_table_is_on_demand_recoverable_encrypted_and_outlives_the_stack(deployed: Template) -> None:
    resource = deployed["Resources"]["Table"]
    properties = resource["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    for name in ("Table", "CredentialsKey"):
        assert deployed["Resources"][name]["DeletionPolicy"] == "Retain"
        assert deployed["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_credentials_key_rotates_and_encrypts_nothing_else(deployed: Template) -> None:
    assert deployed["Resources"]["CredentialsKey"]["Properties"]["EnableKeyRotation"] is True
    users = {
        name
        for name, resource in deployed["Resources"].items()
        if name != "CredentialsKey" and '"CredentialsKey"' in json.dumps(resource)
    }
    roles = {"ApiFunctionRole", "RunnerFunctionRole"}
    assert {name for name in users if "Version" not in name} - roles == {
        "CredentialsKeyAlias",
        "ApiFunction",
        "RunnerFunction",
    }


def test_the_credentials_key_works_for_places_only(deployed: Template) -> None:
    """A statement of KMS without its condition would let a function seal, or open, what belongs nowhere."""
    found = {}
    for role, statement in statements(deployed):
        if any(action.startswith("kms:") for action in listed(statement["Action"])):
            assert statement["Resource"] == {"Fn::GetAtt": ["CredentialsKey", "Arn"]}
            condition = statement["Condition"]
            assert condition["Null"] == {f"kms:EncryptionContext:{name}": "false" for name in ("tenant", "credential")}
            assert condition["ForAllValues:StringEquals"] == {
                "kms:EncryptionContextKeys": sorted(Place("t", "c", "secret").context)
            }
            purposes = condition["StringEquals"]["kms:EncryptionContext:purpose"]
            assert set(purposes) <= set(get_args(Purpose))
            found[role, statement["Action"]] = purposes
    assert found == {
        ("ApiFunctionRole", "kms:GenerateDataKey"): ["consent", "secret"],
        ("RunnerFunctionRole", "kms:Decrypt"): ["consent", "secret", "token"],
        ("RunnerFunctionRole", "kms:GenerateDataKey"): ["secret", "token"],
    }


# ---------------------------------------------------------------- logs


def test_every_function_has_a_log_group_with_retention(deployed: Template) -> None:
    groups = of_type(deployed, "AWS::Logs::LogGroup")
    for function in functions(deployed).values():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_access_logs_hold_no_query_string_header_or_body(deployed: Template) -> None:
    for stage in of_type(deployed, "AWS::ApiGatewayV2::Stage").values():
        settings = stage["AccessLogSettings"]
        form = settings.get("Fn::If", [None, settings])[1]["Format"]
        json.loads(form)
        assert not re.search(r"query|header|body|\$context\.(protocol|identity|authorizer|messageId)", form, re.I)


def test_lambda_holds_no_line_back(deployed: Template) -> None:
    """Its own filter would take INFO for each line of metrics, which has no level, and overrule LogLevel."""
    for function in functions(deployed).values():
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
        assert function["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}


def test_every_function_is_traced(deployed: Template) -> None:
    assert all(function["TracingConfig"] == {"Mode": "Active"} for function in functions(deployed).values())
