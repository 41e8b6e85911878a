# tries: read the datasets that it wasn't given
# expect: finished
# says: 7 refused
# says: ['census']
import os

import syft_client as sc
from attempts import DATA, WORLD, attempt, over

private = os.path.dirname(DATA)
attempt("beside its own", lambda: open(f"{private}/other/data.csv").read())
attempt("from its own", lambda: open(f"{DATA}/../other/data.csv").read())
attempt("on the host", lambda: os.listdir(f"{WORLD}/SyftBox/do@test.org/private"))
attempt("by its name", lambda: sc.resolve_dataset_file_path("other"))
attempt("with dots in its name", lambda: sc.resolve_dataset_file_path("census/../other"))
attempt("with dots in the owner", lambda: sc.resolve_dataset_file_path("other", owner_email="../do@test.org"))
attempt("by its address", lambda: sc.resolve_path("syft://do@test.org/private/syft_datasets/other/data.csv").read_text())
print(os.listdir(private))
over()
