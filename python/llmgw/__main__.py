"""`python -m llmgw`: the same as the command `llmgw`."""

from llmgw.cli import main

if __name__ == "__main__":
    main()
