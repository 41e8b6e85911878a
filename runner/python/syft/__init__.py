"""The name that ``syft_client`` has had since version 0.10."""

from syft_client import (
    load_dataset_code,
    resolve_dataset_file_path,
    resolve_dataset_files_path,
    resolve_path,
)

__all__ = [
    "load_dataset_code",
    "resolve_dataset_file_path",
    "resolve_dataset_files_path",
    "resolve_path",
]
