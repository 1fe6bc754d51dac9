"""This package holds the lake, its catalog and the kernels that rebuild its maps."""


def __getattr__(name: str) -> object:
    """Find ``open_lake`` late, so that importing a contract does not load DuckDB."""
    if name == "open_lake":
        from warehouse.catalog import open_lake  # noqa: PLC0415

        return open_lake
    raise AttributeError(f"module 'warehouse' has no attribute {name!r}")
