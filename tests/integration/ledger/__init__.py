"""What the ledger says of requests over real sockets, and after any death."""
