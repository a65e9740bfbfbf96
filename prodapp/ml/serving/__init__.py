"""A trained pipeline at work: one row or many → answers, their intervals, and what is new in them.

Nothing here trains. :mod:`~prodapp.ml.serving.reference` is made by the training run and stored
with the version; :mod:`~prodapp.ml.serving.predictor` is made of that and of the artifact.
"""
