"""`python -m llmgw.books OPTIONS`: the supervisor's way to start the bookkeeper."""

from llmgw.books.process import main

if __name__ == "__main__":
    main()
