"""A program over a client that was generated from the OpenAPI document: the whole way.

Run by ``test_walks`` with ``API`` and ``KEY`` in the environment, beside the folder of the
generated package: nothing else spells addresses or fields, and nothing of prodapp is imported.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from prodapp_client import AuthenticatedClient  # type: ignore[import-not-found]
from prodapp_client.api.data_sets import (  # type: ignore[import-not-found]
    api_datasets_confirm,
    api_datasets_create_of_machine,
    api_datasets_read,
)
from prodapp_client.api.machines import (  # type: ignore[import-not-found]
    api_machines_create,
    api_machines_rename,
)
from prodapp_client.api.predictions import (  # type: ignore[import-not-found]
    api_predictions_index,
    api_predictions_inputs_of_machine,
    api_predictions_predict_of_machine,
)
from prodapp_client.api.training_runs import (  # type: ignore[import-not-found]
    api_runs_read,
    api_submissions_create,
)
from prodapp_client.api.versions_and_rankings import (  # type: ignore[import-not-found]
    api_versions_ranking_of_machine,
)
from prodapp_client.models import (  # type: ignore[import-not-found]
    ConfirmInput,
    MachineInput,
    PredictInput,
    PredictInputRecord,
    Problem,
    RunOnDatasetInput,
    UploadDocument,
)
from prodapp_client.types import File  # type: ignore[import-not-found]

client = AuthenticatedClient(
    base_url=os.environ["API"].removesuffix("/api/v1"),
    token=os.environ["KEY"],
    raise_on_unexpected_status=True,
    timeout=60,
)


def made(answer: Any) -> Any:
    """What was asked for; a problem ends the program with its words."""
    if isinstance(answer, Problem):
        raise SystemExit(f"{answer.status} {answer.code}: {answer.detail}")
    return answer


machine = made(
    api_machines_create.sync(
        client=client, body=MachineInput(name="Kiln 4"), idempotency_key="register-kiln-4"
    )
)
with Path("prodapp/demo_data/concrete.csv").open("rb") as source:
    file = File(payload=source, file_name="concrete.csv", mime_type="text/csv")
    upload = UploadDocument(file=file, confirm=False)
    draft = made(api_datasets_create_of_machine.sync(machine.id, client=client, body=upload))
target = "compressive_strength"
made(api_datasets_confirm.sync(draft.id, client=client, body=ConfirmInput(target=target)))
dataset = made(api_datasets_read.sync(draft.id, client=client, wait=30.0))
order = RunOnDatasetInput(dataset_id=dataset.id, target=target)
run = made(api_submissions_create.sync(client=client, body=order))
while run.state in ("queued", "running", "publishing", "retry_wait"):
    run = made(api_runs_read.sync(run.id, client=client, wait=30.0))
ranking = made(api_versions_ranking_of_machine.sync(machine.id, client=client))
inputs = made(api_predictions_inputs_of_machine.sync(machine.id, client=client))
record = PredictInputRecord.from_dict(inputs.record.to_dict())
prediction = made(
    api_predictions_predict_of_machine.sync(
        machine.id, client=client, body=PredictInput(record=record)
    )
)
history = made(api_predictions_index.sync(client=client, machine_id=machine.id))
refused = api_machines_rename.sync(
    machine.id, client=client, body=MachineInput(name="Kiln 5"), if_match='"of another day"'
)
sys.stdout.write(
    json.dumps(
        {
            "dataset": [draft.state, dataset.state],
            "run": run.state,
            "ranked": [row.feature for row in ranking.ranking],
            "predicted": prediction.output,
            "interval": [prediction.interval.low, prediction.interval.high],
            "history": [[str(row.id), row.output] for row in history],
            "prediction": str(prediction.id),
            "refused": [refused.status, refused.code],
        }
    )
)
