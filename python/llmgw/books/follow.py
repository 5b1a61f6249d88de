"""Keeps the directory as the store has it: the whole of it at the start, then what changes."""

import asyncio
import time

from llmgw.books.backoff import Backoff
from llmgw.books.budgets import Budgets
from llmgw.books.directory import DirectoryFile
from llmgw.books.drain import wait
from llmgw.books.feed import Feed
from llmgw.store.database import Store
from llmgw.store.errors import StoreUnavailable

POLL_SECONDS = 0.2
