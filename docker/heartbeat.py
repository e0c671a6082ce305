"""Exit 0 if the API server has lately seen the heartbeat of a component: `dag_processor` or `triggerer`."""

from __future__ import annotations

import json
import sys
import urllib.request

HEALTH = "http://airflow-apiserver:8080/api/v2/monitor/health"


def main(component: str) -> int:
    """Print what the API server says of the component; 0 if that is `healthy`."""
    with urllib.request.urlopen(HEALTH, timeout=10) as answer:
        status = (json.load(answer).get(component) or {}).get("status")
    sys.stdout.write(f"{component}: {status}\n")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
