"""Dr. Melton Agent Builder: the product, shared by every function."""

__version__ = "0.1.0"
