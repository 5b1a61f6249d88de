"""The table of errors is the same in Python and in the native core."""

from llmgw import _native
from llmgw.errors import TABLE


def test_both_sides_show_the_same_table_in_the_same_order() -> None:
    rows = [
        (kind.__name__, kind.status, kind.type, kind.code, kind.retry, kind.fall_back, kind.cool_down)
        for kind in TABLE
    ]
    assert rows == _native.error_table()
