"""What predictions are compared with: a Flask view that calls a forest, and nothing else.

Served by the same server; ``PLAIN_CSV`` names the table, whose last column is the target.
"""

from __future__ import annotations

import os

import pandas as pd
from flask import Flask, jsonify, request
from sklearn.ensemble import RandomForestRegressor

frame = pd.read_csv(os.environ["PLAIN_CSV"])
names = list(frame.columns[:-1])
forest = RandomForestRegressor(100, n_jobs=2, random_state=0)
forest.fit(frame[names].to_numpy(), frame.iloc[:, -1].to_numpy())
forest.n_jobs = 1
app = Flask(__name__)


@app.post("/predict")
def predict() -> object:
    record = request.get_json()["record"]
    return jsonify(output=float(forest.predict([[record[name] for name in names]])[0]))
