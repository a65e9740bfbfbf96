"""What people type: examples that stand below the help of a command, by its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "user create": (
        "flask user create maria --role analyst --link",
        "flask user create paulo --site north --email paulo@example.com",
    ),
    "key create": ("flask key create maria --name dashboard --role viewer --days 365",),
    "site quota": ("flask site quota north 5000", "flask site quota north default"),
    "machine list": ("flask machine list --status failed", "flask machine list --search press"),
    "machine compare": ("flask machine compare temperature",),
    "webhook create": (
        "flask webhook create dashboard https://dashboard.example/hook --event run.succeeded",
    ),
    "dataset preview": (
        "flask dataset preview data.csv --target strength",
        "flask dataset preview data.csv --decimal , --override units_row=no",
    ),
    "dataset import": (
        "flask dataset import 1 data.csv",
        "flask dataset import 1 data.csv --encoding cp1252 --draft",
    ),
    "dataset confirm": (
        "flask dataset confirm 3 --target strength --sense raise --role water=lever",
        "flask dataset confirm 4 --append-to 3",
    ),
    "dataset exclude": (
        "flask dataset exclude 3 --first-row 101 --last-row 112 --label start-up",
        "flask dataset exclude 3 --where speed '<' 5",
        "flask dataset exclude 3 --clear",
    ),
    "schedule set": (
        'flask schedule set 1 /srv/plant/press-01 "0 6 * * 1-5" --timezone America/Sao_Paulo',
    ),
    "train": (
        "flask train 1 data.csv --target strength",
        "flask train 1 --dataset 3 --target strength --algorithm linear_regression --json",
        "flask train 1 data.csv --target strength --set n_estimators=500 --no-wait",
    ),
    "runs list": ("flask runs list --machine 1 --state failed",),
    "version rule": ("flask version rule 1", "flask version rule 1 --set better"),
    "version report": ("flask version report 7 report.pdf",),
    "version goal": ("flask version goal 7", "flask version goal 7 --target 92 --sense raise"),
    "version pictures": ("flask version pictures 7 charts --format png",),
    "predict one": (
        "flask predict one 1 water=180 age=28 --contributions",
        "flask predict one 1 water= --json",
    ),
    "predict file": ("flask predict file 1 data.csv answers.xlsx",),
    "predict history": ("flask predict history --machine 1 --json",),
    "backup create": ("flask backup create --folder /mnt/backups/prodapp --keep 14",),
    "backup restore": ("flask backup restore NAME --replace --yes",),
    "doctor": ("flask doctor --quick --json", "flask doctor --fix"),
}
