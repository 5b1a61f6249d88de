"""What is remembered: identities, credentials, books and what changed, in SQLite or PostgreSQL.

`Store` opens it; there is a module for every noun, whose functions take the transaction first::

    async with store.begin(actor) as tx:
        key = await keys.create(tx, scope, Key(alias="app", team_id=team.id))
"""
