"""The scripts in validation/ are not installed; tests import them from the repository's root."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
