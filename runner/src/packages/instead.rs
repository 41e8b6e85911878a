//! What can be used in place of packages that have native code.

use super::PackageName;

/// Well-known packages with native code, and what the runtime has instead.
const INSTEAD: [(&[&str], &str); 9] = [
    (
        &["torch", "tensorflow", "keras", "jax", "jaxlib", "torchvision", "transformers"],
        "scikit-learn, statsmodels and numpy are there; a network that was trained elsewhere can be applied with numpy",
    ),
    (
        &["xgboost", "lightgbm", "catboost"],
        "scikit-learn is there, with HistGradientBoostingClassifier and HistGradientBoostingRegressor",
    ),
    (
        &["polars", "pyarrow", "duckdb", "dask", "vaex", "fastparquet"],
        "pandas and sqlite3 are there; send the data as CSV",
    ),
    (&["opencv-python", "opencv-python-headless"], "pillow and scipy.ndimage are there"),
    (&["numba", "cython", "cupy", "numexpr"], "numpy and scipy are there, compiled"),
    (
        &["requests", "httpx", "aiohttp", "urllib3"],
        "a job has no network; it reads its datasets and writes to outputs/",
    ),
    (&["geopandas", "shapely", "fiona", "pyproj", "rasterio"], "pandas, numpy and scipy.spatial are there"),
    (&["plotly", "kaleido", "bokeh"], "matplotlib and seaborn are there"),
    (&["h5py", "tables", "netcdf4"], "numpy's npz files and sqlite3 are there"),
];

/// What is there instead of a package.
pub(super) fn instead(name: &PackageName) -> &'static str {
    let known = INSTEAD.iter().find(|(names, _)| names.contains(&name.as_str()));
    known.map_or(
        "the runtime has numpy, pandas, scipy, scikit-learn, statsmodels, matplotlib, seaborn and others",
        |(_, words)| words,
    )
}
