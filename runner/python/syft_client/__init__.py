"""The part of the SyftBox client that a job may use: finding the files of its datasets.

A job runs on the data owner's machine, where every function here resolves to private files.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

__all__ = [
    "load_dataset_code",
    "resolve_dataset_file_path",
    "resolve_dataset_files_path",
    "resolve_path",
]

_SCHEME = "syft://"
# What belongs to a dataset's folder but isn't its data.
_NOT_PRIVATE_DATA = {"private_metadata.yaml", "syft.pub.yaml"}
_NOT_MOCK_DATA = {"dataset.yaml", "readme.md", "syft.pub.yaml"}


def resolve_path(path: str | Path, syftbox_folder: str | Path | None = None) -> Path:
    """The file or folder that a ``syft://{owner}/{path}`` URL names."""
    text = str(path)
    if isinstance(path, Path) and text.startswith("syft:/") and not text.startswith(_SCHEME):
        text = text.replace("syft:/", _SCHEME, 1)  # pathlib makes one slash of two
    if not text.startswith(_SCHEME):
        raise ValueError(f"Path must start with 'syft://', got: {text}")
    return _folder(syftbox_folder) / text.removeprefix(_SCHEME)


def resolve_dataset_files_path(
    dataset_name: str,
    syftbox_folder: str | Path | None = None,
    owner_email: str | None = None,
    client: object = None,
) -> list[Path]:
    """The data files of a dataset, sorted by name; ``client`` is ignored in a job."""
    folder = _dataset_folder(dataset_name, syftbox_folder, owner_email)
    left_out = _NOT_PRIVATE_DATA if _in_job() else _NOT_MOCK_DATA
    return sorted(
        path for path in folder.iterdir() if path.is_file() and path.name.lower() not in left_out
    )


def resolve_dataset_file_path(*args, **kwargs) -> Path:
    """The first data file of a dataset: the file, where it has one."""
    files = resolve_dataset_files_path(*args, **kwargs)
    if not files:
        name = args[0] if args else kwargs.get("dataset_name")
        raise FileNotFoundError(f"Dataset '{name}' has no files.")
    return files[0]


def load_dataset_code(
    path: str,
    owner_email: str | None = None,
    syftbox_folder: str | Path | None = None,
    client: object = None,
    module_name: str | None = None,
) -> ModuleType:
    """The module ``{dataset}.{folder}.….{module}`` that lies within a dataset; ``client`` is ignored in a job."""
    dataset_name, *segments = path.split(".")
    if not segments:
        raise ValueError(
            f"Invalid path '{path}': expected '<dataset_name>.<code_path>', "
            "e.g. 'my_dataset.helpers' or 'my_dataset.utils.nested'."
        )
    folder = _dataset_folder(dataset_name, syftbox_folder, owner_email)
    file_path = folder.joinpath(*segments).with_suffix(".py")
    if not file_path.exists():
        raise FileNotFoundError(f"Code file not found at {file_path} (resolved from '{path}').")
    name = module_name or segments[-1]
    spec = importlib.util.spec_from_file_location(name, file_path)
    if spec is None or spec.loader is None:
        raise ImportError(f"Could not build import spec for {file_path}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _in_job() -> bool:
    return os.environ.get("SYFT_IS_IN_JOB", "false").lower() == "true"


def _folder(given: str | Path | None) -> Path:
    folder = given if given is not None else os.environ.get("SYFTBOX_FOLDER")
    if folder is None:
        raise ValueError("SYFTBOX_FOLDER is not set. Pass syftbox_folder or set it.")
    return Path(folder)


def _dataset_folder(name: str, syftbox_folder: str | Path | None, owner: str | None) -> Path:
    owner = owner or os.environ.get("SYFTBOX_EMAIL")
    if owner is None:
        raise ValueError("SYFTBOX_EMAIL is not set. Pass owner_email or set it.")
    half = "private" if _in_job() else "public"
    datasets = _folder(syftbox_folder) / owner / half / "syft_datasets"
    if not (datasets / name).is_dir():
        there = sorted(path.name for path in datasets.iterdir()) if datasets.is_dir() else []
        listing = ", ".join(there) if there else "none"
        raise FileNotFoundError(
            f"Dataset '{name}' not found in {owner}'s datasite. This job may use: {listing}."
        )
    return datasets / name
