"""The version, here alone: pyproject.toml, the documentation and what is saved read it from here."""

__version__ = "0.1.0.dev0"
