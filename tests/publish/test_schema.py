from __future__ import annotations

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table

from quantconnect_provider.publish.arrow import arrow_schema


def test_a_column_of_a_type_without_a_counterpart_is_named() -> None:
    table = Table("pictures", MetaData(), Column("pixels", LargeBinary))
    with pytest.raises(TypeError, match=r"pictures\.pixels"):
        arrow_schema(table)
