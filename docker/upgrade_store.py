"""Bring the store of the connection `quantconnect_store` to the version of the installed provider."""

from __future__ import annotations

from quantconnect_provider.harvest import Store
from quantconnect_provider.hooks.store import QuantConnectStoreHook

if __name__ == "__main__":
    Store.open(QuantConnectStoreHook().get_conn()).close()
    print("store: the tables are those of this version", flush=True)  # noqa: T201 - the container's log
