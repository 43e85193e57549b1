"""Small real applications whose descriptions their frameworks generate."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import django
from django.conf import settings
from fastapi import Cookie, Depends, FastAPI, File, Form, Header, Path, Query, UploadFile
from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2PasswordBearer
from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields, validate
from pydantic import BaseModel, Field

# ---------------------------------------------------------------- FastAPI


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(9, ge=0, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True


class Node(BaseModel):
    name: str
    children: list[Node] = []


class Order(BaseModel):
    id: uuid.UUID
    colour: Colour
    price: Decimal = Field(gt=0)
    at: datetime | None = None
    pet: Cat | Dog = Field(discriminator="kind")
    lines: list[tuple[str, int]] = Field(max_length=3)
    extra: dict[str, float] = {}
    size: int | str = 1


def fastapi_application() -> FastAPI:
    """Answers each call with what it understood."""
    application = FastAPI(title="Shop", root_path="")
    key = APIKeyHeader(name="X-Key", auto_error=False)
    bearer = HTTPBearer(auto_error=False)
    password = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)

    @application.get("/items/{item_id}/{name}")
    def item(
        item_id: Annotated[int, Path(ge=1)],
        name: str,
        q: str | None = None,
        ids: Annotated[list[int], Query()] = [],  # noqa: B006
        colour: Colour = Colour.RED,
        since: date | None = None,
        x_trace: Annotated[str | None, Header()] = None,
        session: Annotated[str | None, Cookie()] = None,
    ) -> Any:
        found = {"item_id": item_id, "name": name, "q": q, "ids": ids, "colour": colour, "since": since}
        return {**found, "x_trace": x_trace, "session": session}

    @application.post("/orders", dependencies=[Depends(key), Depends(bearer)])
    def order(order: Order) -> Any:
        return order

    @application.put("/tree", dependencies=[Depends(password)])
    def tree(node: Node) -> Any:
        return node

    @application.post("/two")
    def two(cat: Cat, dog: Dog) -> Any:
        return {"cat": cat, "dog": dog}

    @application.post("/form")
    def form(
        name: Annotated[str, Form()], tags: Annotated[list[str], Form()], age: Annotated[int | None, Form()] = None
    ) -> Any:
        return {"name": name, "tags": tags, "age": age}

    @application.post("/upload")
    async def upload(file: UploadFile, more: list[UploadFile] | None = None, note: Annotated[str, Form()] = "") -> Any:
        return {"file": (await file.read()).decode(), "name": file.filename, "more": len(more or []), "note": note}

    @application.post("/bytes")
    def data(content: Annotated[bytes, File()]) -> Any:
        return {"content": content.decode()}

    @application.delete("/items/{item_id:path}", deprecated=True)
    def remove(item_id: str) -> Any:
        return {"item_id": item_id}

    return application


# ---------------------------------------------------------------- Django REST framework


def django_description() -> dict[str, Any]:
    """What drf-spectacular says of a few views."""
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "drf_spectacular"],
            ROOT_URLCONF=__name__,
            REST_FRAMEWORK={
                "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
                "DEFAULT_AUTHENTICATION_CLASSES": [
                    "rest_framework.authentication.BasicAuthentication",
                    "rest_framework.authentication.SessionAuthentication",
                ],
                "DEFAULT_PERMISSION_CLASSES": [],
            },
            SPECTACULAR_SETTINGS={"TITLE": "Library", "VERSION": "1", "COMPONENT_SPLIT_REQUEST": True},
            USE_TZ=True,
            SECRET_KEY="for tests only",
            DATABASES={},
        )
        django.setup()
    from drf_spectacular.generators import SchemaGenerator

    return dict(SchemaGenerator(patterns=_django_patterns()).get_schema(request=None, public=True))


def _django_patterns() -> list[Any]:
    from django.urls import include, path
    from drf_spectacular.utils import OpenApiParameter, extend_schema
    from rest_framework import serializers, viewsets
    from rest_framework.routers import SimpleRouter

    class Author(serializers.Serializer[Any]):
        id = serializers.IntegerField(read_only=True)
        name = serializers.CharField(max_length=40)
        password = serializers.CharField(write_only=True)

    class Book(serializers.Serializer[Any]):
        id = serializers.UUIDField(read_only=True)
        title = serializers.CharField()
        author = Author()
        genre = serializers.ChoiceField(choices=["novel", "poem"], allow_null=True)
        cover = serializers.ImageField(required=False)
        pages = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=5)
        price = serializers.DecimalField(max_digits=6, decimal_places=2)

    parameters = [
        OpenApiParameter("filter[name]", str),
        OpenApiParameter("tags", str, many=True, explode=False),
    ]

    @extend_schema(parameters=parameters)
    class Books(viewsets.ViewSet):
        serializer_class = Book
        lookup_value_converter = "int"

        def list(self, request: Any) -> Any: ...
        def create(self, request: Any) -> Any: ...
        def retrieve(self, request: Any, pk: int) -> Any: ...
        def update(self, request: Any, pk: int) -> Any: ...
        def partial_update(self, request: Any, pk: int) -> Any: ...
        def destroy(self, request: Any, pk: int) -> Any: ...

    router = SimpleRouter(use_regex_path=False)
    router.register("books", Books, basename="book")
    return [path("api/", include(router.urls))]


# ---------------------------------------------------------------- Flask


class Pet(Schema):
    id = fields.Integer(dump_only=True)
    name = fields.String(required=True, validate=validate.Length(min=1, max=20))
    born = fields.Date(allow_none=True)
    kind = fields.String(validate=validate.OneOf(["cat", "dog"]))
    friends = fields.List(fields.Nested(lambda: Friend()))
    weights = fields.Dict(keys=fields.String(), values=fields.Float())


class Friend(Schema):
    name = fields.String(required=True)
    friend = fields.Nested(lambda: Friend())


class PetForm(Schema):
    name = fields.String()
    born = fields.Date(allow_none=True)


class Filter(Schema):
    class Meta:
        unknown = "exclude"

    kind = fields.String()
    ids = fields.List(fields.Integer())
    page = fields.Integer(load_default=1, validate=validate.Range(min=1))


def flask_description(version: str) -> dict[str, Any]:
    """What flask-smorest says of a few views, in the version of OpenAPI that is wanted."""
    application = Flask("pets")
    application.config.update(API_TITLE="Pets", API_VERSION="1", OPENAPI_VERSION=version)
    pets = Blueprint("pets", "pets", url_prefix="/pets")

    @pets.route("/")
    @pets.arguments(Filter, location="query")
    @pets.response(200, Pet(many=True))
    def index(arguments: Any) -> Any:
        return []

    @pets.route("/", methods=["POST"])
    @pets.arguments(Pet)
    @pets.response(201, Pet)
    def create(pet: Any) -> Any:
        return pet

    @pets.route("/<int:pet_id>/<path:rest>", methods=["PUT"])
    @pets.arguments(PetForm, location="form")
    def change(pet: Any, pet_id: int, rest: str) -> Any:
        return pet

    api = Api(application)
    api.register_blueprint(pets)
    with application.app_context():
        return dict(api.spec.to_dict())
