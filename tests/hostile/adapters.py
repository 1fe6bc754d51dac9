"""Every adapter of the project by name."""

from tests.hostile import (
    adapters_of_answers,
    adapters_of_files,
    adapters_of_fills,
    adapters_of_imports,
)

ADAPTERS = (
    adapters_of_fills.ADAPTERS
    | adapters_of_files.ADAPTERS
    | adapters_of_imports.ADAPTERS
    | adapters_of_answers.ADAPTERS
)
