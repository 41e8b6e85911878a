# What is there before anything is imported.
import sys

print(all(name in sys.modules for name in ["numpy", "pandas", "scipy", "sklearn", "matplotlib", "statsmodels", "seaborn"]))
