"""First harvest of 100,000 insights at 50 ms latency, against the loop that the API's documentation suggests.

That loop: one ``requests.post`` a page, then one executemany upsert a page. Prints how many times faster the
harvest is; to be at least 8.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from typing import Any

import requests
from sqlalchemy import create_engine, make_url

from benchmarks.api import API_TOKEN, USER_ID, Api, deploy_id
from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.harvest import Store, harvest
from quantconnect_provider.store.schema import insights

COUNT = 100_000
LATENCY = 0.05
FIELDS = {
    "insight_id": "id",
    "group_id": "groupId",
    "source_model": "sourceModel",
    "generated_at": "generatedTime",
    "closes_at": "closeTime",
    "symbol": "symbol",
    "ticker": "ticker",
    "insight_type": "type",
    "reference_value": "reference",
    "reference_value_final": "referenceFinal",
    "direction": "direction",
    "period_seconds": "period",
    "magnitude": "magnitude",
    "confidence": "confidence",
    "weight": "weight",
    "score_is_final": "scoreFinal",
    "score_direction": "scoreDirection",
    "score_magnitude": "scoreMagnitude",
    "estimated_value": "estimatedValue",
    "tag": "tag",
}


def suggested_loop(api: Api, url: str) -> float:
    """Fill a database page by page; returns the seconds that it took."""
    address = make_url(url)
    sqlite = address.get_backend_name() == "sqlite"
    engine = create_engine(address if sqlite else address.set(drivername="postgresql+psycopg"))
    mark = "?" if sqlite else "%s"
    names = ["project_id", "deploy_id", *FIELDS]
    upsert = (
        f"INSERT INTO insights ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))}) "
        f"ON CONFLICT (project_id, insight_id) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in names)
    )
    connection: Any = engine.raw_connection()
    cursor = connection.cursor()
    kinds = {name: "BIGINT" if name.endswith("_at") else _kind(name) for name in names}
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    cursor.execute(f"CREATE TABLE insights ({columns}, PRIMARY KEY (project_id, insight_id))")
    connection.commit()
    began = time.perf_counter()
    start = 0
    while True:
        rows = _page(api, start)
        cursor.executemany(
            upsert, [(1000, deploy_id(0), *(row[key] for key in FIELDS.values())) for row in rows]
        )
        connection.commit()
        if len(rows) < 100:
            break
        start += 100
    seconds = time.perf_counter() - began
    cursor.execute("SELECT count(*) FROM insights")
    assert cursor.fetchone()[0] == COUNT
    connection.close()
    engine.dispose()
    return seconds


def _kind(name: str) -> str:
    return str(insights.c[name].type.compile())


def _page(api: Api, start: int) -> list[dict[str, Any]]:
    stamp = str(int(time.time()))
    signature = hashlib.sha256(f"{API_TOKEN}:{stamp}".encode()).hexdigest()
    answer = requests.post(
        f"{api.base_url}/live/insights/read",
        headers={"Timestamp": stamp, "Content-Type": "application/json"},
        auth=(str(USER_ID), signature),
        data=json.dumps({"projectId": 1000, "algorithmId": deploy_id(0), "start": start, "end": start + 100}),
        timeout=30,
    )
    return list(answer.json()["insights"])


def our_harvest(api: Api, url: str) -> float:
    """Fill a store; returns the seconds that it took, opening the store included."""
    began = time.perf_counter()
    with Store.open(url) as store, api.client() as client:
        report = harvest(client, store, client.list_live())
    seconds = time.perf_counter() - began
    report.raise_if_failed()
    assert report.inserted == COUNT
    return seconds


def main() -> None:
    """Measure and print."""
    kind = wanted_kind(__doc__)
    with Api(COUNT, latency=LATENCY) as api, databases(kind) as addresses:
        ours = [our_harvest(api, next(addresses)) for _ in range(3)]
        loop = [suggested_loop(api, next(addresses)) for _ in range(2 if kind == "sqlite" else 1)]
    print(f"{COUNT:,} insights at {LATENCY * 1000:.0f} ms into {kind}:")
    print(f"  suggested loop  {_listed(loop)}")
    print(f"  harvest         {_listed(ours)}")
    ratio = statistics.median(loop) / statistics.median(ours)
    print(f"ratio: {ratio:.1f} times faster (to be at least 8)")


def _listed(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} s median of {', '.join(f'{one:.1f}' for one in seconds)}"


if __name__ == "__main__":
    main()
