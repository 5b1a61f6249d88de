"""The books: the process that brings the journal into the store, and what is asked of it afterwards.

Nothing is imported here, so that the supervisor can look after that process without its libraries.
"""
