# The four functions, and the folders behind them.
import os
from pathlib import Path

import syft as sy
import syft_client as sc

owner = os.environ["SYFTBOX_EMAIL"]
root = Path(os.environ["SYFTBOX_FOLDER"])

print("file", sc.resolve_dataset_file_path("census"), sc.resolve_dataset_file_path("census").read_text())
print("files", [path.name for path in sy.resolve_dataset_files_path("census", owner_email=owner)])
print("url", sy.resolve_path(f"syft://{owner}/private/syft_datasets/census/a.csv").read_text())
print("code", sc.load_dataset_code("census.helpers.double").double(21))
print("mock", (root / owner / "public/syft_datasets/census/a.csv").read_text())
print("names", os.listdir(root / owner / "private/syft_datasets"))
for call in [
    lambda: sc.resolve_dataset_file_path("other"),
    lambda: sc.resolve_dataset_file_path("census", owner_email="eve@other.org"),
    lambda: sy.resolve_path("/etc/passwd"),
    lambda: sy.load_dataset_code("census.none"),
    lambda: sy.load_dataset_code("census"),
]:
    try:
        call()
    except (FileNotFoundError, ValueError) as error:
        print("refused", type(error).__name__, str(error).splitlines()[0])
