"""`python -m stopline.devices.latency.schema` writes the JSON schema of a report anew."""

import json
from pathlib import Path

from stopline.devices.latency.report import json_schema

WHERE = Path(__file__).with_name("report.schema.json")


def schema_text() -> str:
    """As it is committed."""
    return json.dumps(json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    WHERE.write_text(schema_text())
