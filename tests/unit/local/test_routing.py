"""Which route a request takes."""

import pytest

from local.routing import Routes
from local.template import Route

ROUTES = Routes(
    [
        Route("ANY", "$default", "default"),
        Route("ANY", "/api/{proxy+}", "greedy"),
        Route("ANY", "/api/items/{id}", "any_item"),
        Route("GET", "/api/items/{id}", "get_item"),
        Route("GET", "/api/items/new", "exact"),
        Route("GET", "/api/a.b", "dotted"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "function", "key", "parameters"),
    [
        ("GET", "/api/items/new", "exact", "GET /api/items/new", {}),
        ("GET", "/api/items/7", "get_item", "GET /api/items/{id}", {"id": "7"}),
        ("PUT", "/api/items/7", "any_item", "ANY /api/items/{id}", {"id": "7"}),
        ("PUT", "/api/items/7/parts", "greedy", "ANY /api/{proxy+}", {"proxy": "items/7/parts"}),
        ("GET", "/api/items/a%2Fb", "get_item", "GET /api/items/{id}", {"id": "a/b"}),
        ("GET", "/api/a.b", "dotted", "GET /api/a.b", {}),
        ("GET", "/api/aXb", "greedy", "ANY /api/{proxy+}", {"proxy": "aXb"}),
        ("GET", "/api/", "default", "$default", {}),
        ("GET", "/", "default", "$default", {}),
    ],
)
def test_the_most_specific_route_wins(method, path, function, key, parameters):
    match = ROUTES.find(method, path)
    assert (match.route.function, match.key, match.parameters) == (function, key, parameters)


def test_no_route():
    assert Routes([Route("GET", "/a", "f")]).find("POST", "/a") is None
