"""A batch, given its id: read the file, answer its rows, store them with the answers."""

from __future__ import annotations

import io
import logging

from prodapp.caller import Caller
from prodapp.claims import carry_out, patiently, pulse_of
from prodapp.extensions import command
from prodapp.ml.estimators import available_cpus
from prodapp.ml.intake import read_table
from prodapp.ml.serving.tables import answer_table
from prodapp.models import PredictionBatch
from prodapp.models.lease import Lease
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.versions import named_version
from prodapp.predictions.workflow import BATCHES
from prodapp.storage import storage

log = logging.getLogger(__name__)


def run_batch(batch_id: int) -> None:
    """Answer the file once, whatever happens; a delivery that comes twice does nothing."""
    carry_out(BATCHES, batch_id, _answer)


def _answer(batch: PredictionBatch, lease: Lease) -> None:
    def publish() -> None:
        with command() as session:
            BATCHES.succeed(
                session,
                lease,
                result_key=stored.key,
                n_rows=len(answered.frame),
                n_new=answered.n_new,
            )

    pulse = pulse_of(BATCHES, lease)
    pulse("reading", 0.0)
    with storage().local_path(batch.source_key) as path:
        table = read_table(
            path,
            overrides=batch.overrides,
            progress=lambda _, share: pulse("reading", 0.4 * share),
            filename=batch.filename,
            needs_target=False,
        )
    owner = Caller(batch.site_id, "operator", batch.actor, "system")
    predictor = predictor_of(named_version(owner, batch.version_id))
    pulse("answering", 0.4)
    answered = answer_table(
        predictor,
        table,
        level=batch.level,
        n_jobs=available_cpus(),
        on_share=lambda share: pulse("answering", 0.4 + 0.5 * share),
    )
    pulse("storing", 0.9)
    file = io.BytesIO()
    answered.frame.to_parquet(file, index=False)
    file.seek(0)
    stored = storage().put(file)
    patiently(publish)
    log.info("batch %s: %s rows answered", batch.id, len(answered.frame))
