# pandas and scikit-learn on the private half of a dataset.
import json

import numpy as np
import pandas as pd
import syft_client as sc
from sklearn.linear_model import LinearRegression

frame = pd.read_csv(sc.resolve_dataset_file_path("census"))
means = frame.groupby("region")["income"].mean()
model = LinearRegression().fit(frame[["age"]], frame["income"])
with open("outputs/result.json", "w") as out:
    json.dump(
        {
            "rows": len(frame),
            "means": {region: round(float(mean), 6) for region, mean in means.items()},
            "slope": round(float(model.coef_[0]), 6),
            "intercept": round(float(model.intercept_), 6),
            "std": round(float(np.std(frame["age"])), 6),
        },
        out,
    )
