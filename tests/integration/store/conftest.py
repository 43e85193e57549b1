from __future__ import annotations

import pytest

from local.testing import Instance
from tests.integration.store.product import Product


@pytest.fixture
def product(store: Instance) -> Product:
    """A tenant of its own."""
    return Product()
