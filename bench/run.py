"""Runs the benchmark from a checkout: `python bench/run.py --quick`; the same as `llmgw bench`."""

import sys

from llmgw.bench import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
