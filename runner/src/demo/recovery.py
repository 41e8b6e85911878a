"""Which treatment helps? Runs on Olivia's machine; only what is in outputs/ leaves it."""

import pandas as pd
import syft_client as sc

patients = pd.read_csv(sc.resolve_dataset_file_path("patients"))
print(f"{len(patients):,} patients")

days = patients.groupby("treatment")["days_to_recovery"].agg(["count", "mean"])
days.to_csv("outputs/recovery.csv", float_format="%.3f")
print(days.round(1))
