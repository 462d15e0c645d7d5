"""`python -m wasm_proactor serve app.wasm`."""

import sys

from .serve import main

sys.exit(main(sys.argv[1:]))
