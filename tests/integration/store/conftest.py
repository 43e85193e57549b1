from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.testing import Instance
from tests.integration.store.product import Product
from tests.integration.store.scene import Scene


@pytest.fixture
def product(store: Instance) -> Product:
    """A tenant of its own."""
    return Product()


@pytest.fixture
def scene(product: Product) -> Iterator[Scene]:
    with ThreadPoolExecutor(8) as executor:
        yield Scene(product, executor)
